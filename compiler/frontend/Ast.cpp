#include "compiler/frontend/Ast.h"
#include <algorithm>
#include <array>

namespace normc {
namespace {
/// Printed without parentheses inside anything that binds less.
enum Precedence { disjunction, conjunction, inversion, comparison, sum, product, negation, primary };

Precedence precedenceOf(Expr::Op op) {
  switch (op) {
  case Expr::Op::add:
  case Expr::Op::subtract:
    return sum;
  case Expr::Op::multiply:
  case Expr::Op::divide:
    return product;
  case Expr::Op::conjunction:
    return conjunction;
  case Expr::Op::disjunction:
    return disjunction;
  default:
    return comparison;
  }
}

Precedence precedenceOf(const Expr &expr) {
  switch (expr.kind) {
  case Expr::Kind::negate:
    return negation;
  case Expr::Kind::invert:
    return inversion;
  case Expr::Kind::chain:
  case Expr::Kind::comparison:
    return precedenceOf(expr.operators.front().first);
  default:
    return primary;
  }
}

class Printer {
public:
  std::string out;

  void expr(const Expr &e, int least = disjunction) {
    Precedence own = precedenceOf(e);
    bool parentheses = own < least;
    if (parentheses) out += '(';
    switch (e.kind) {
    case Expr::Kind::integer:
    case Expr::Kind::real:
    case Expr::Kind::boolean:
      out += e.text;
      break;
    case Expr::Kind::name:
      out += e.text;
      if (e.pack) out += "...";
      break;
    case Expr::Kind::negate:
      out += '-';
      expr(e.operands[0], negation);
      break;
    case Expr::Kind::invert:
      out += "not ";
      expr(e.operands[0], inversion);
      break;
    case Expr::Kind::chain:
    case Expr::Kind::comparison:
      for (size_t i = 0; i < e.operands.size(); ++i) {
        if (i) out.append(" ").append(spellingOf(e.operators[i - 1].first)) += ' ';
        expr(e.operands[i], i || own == comparison ? own + 1 : int(own));
      }
      break;
    case Expr::Kind::call:
      call(e);
      break;
    }
    if (parentheses) out += ')';
  }

  void type(const TensorType &t) {
    out += t.element.text;
    if (t.scalar) return;
    out += '[';
    list(t.dims, [&](const AxisRef &dim) { out += dim.text(); });
    out += ']';
  }

  void unit(const Unit &u) {
    bool first = true, import = false;
    for (const Declaration &declaration : u.declarations) {
      bool isImport = std::holds_alternative<Import>(declaration);
      if (!first && !(import && isImport)) out += '\n';
      std::visit([&](const auto &d) { print(d); }, declaration);
      first = false, import = isImport;
    }
  }

private:
  template <typename Range, typename Each> void list(const Range &range, Each each) {
    bool first = true;
    for (const auto &item : range) {
      if (!first) out += ", ";
      first = false;
      each(item);
    }
  }
  void names(const std::vector<Name> &all) {
    list(all, [&](const Name &name) { out += name.text; });
  }

  void call(const Expr &e) {
    out += e.text + "(";
    list(e.operands, [&](const Expr &operand) { expr(operand); });
    if (e.tail) {
      if (e.tail->overSpot) {
        if (!e.operands.empty()) out += ' ';
        out += "over ";
        list(e.tail->over, [&](const AxisRef &axis) { out += axis.text(); });
      }
      if (e.tail->across) out += " across replicas";
      for (const auto &[name, value] : e.tail->named) {
        if (out.back() != '(') out += ", ";
        out += name.text + " = ";
        expr(value);
      }
    }
    out += ')';
  }

  void print(const Import &import) { out += "import \"" + import.path + "\"\n"; }

  void print(const std::unique_ptr<Function> &function) {
    out += "fn " + function->name.text + "(";
    names(function->arguments);
    out += ") = ";
    expr(function->body);
    out += '\n';
  }

  void print(const Parameter &parameter) {
    out += parameter.name.text;
    bool hasDefault = !std::holds_alternative<std::monostate>(parameter.byDefault);
    if (parameter.kindWritten) out.append(": ").append(nameOf(parameter.kind));
    if (hasDefault) out += " = ";
    if (auto *literal = std::get_if<Literal>(&parameter.byDefault)) out += literal->text;
    if (auto *name = std::get_if<Name>(&parameter.byDefault)) out += name->text;
  }

  void print(const std::unique_ptr<Kernel> &kernel) {
    out += "kernel " + kernel->name.text;
    if (!kernel->parameters.empty()) {
      out += '<';
      list(kernel->parameters, [&](const Parameter &parameter) { print(parameter); });
      out += '>';
    }
    out += "(";
    bool first = true;
    for (const Input &input : kernel->inputs) {
      out += first ? "\n    " : ",\n    ";
      first = false;
      out += input.name.text + ": ";
      if (input.state) out += "inout ";
      type(input.type);
      if (input.byDefault) out += " = " + input.byDefault->text;
    }
    out += first ? ") -> " : "\n) -> ";
    if (kernel->outputs.size() != 1 || kernel->outputsInParentheses) out += '(';
    list(kernel->outputs, [&](const Output &output) {
      out += output.name.text + ": ";
      type(output.type);
    });
    if (kernel->outputs.size() != 1 || kernel->outputsInParentheses) out += ')';
    out += " {\n";
    for (const Statement &statement : kernel->statements) {
      out += "  ";
      std::visit([&](const auto &s) { print(s); }, statement.what);
      out += '\n';
    }
    out += "}\n";
  }

  void print(const Split &split) {
    out += "split " + split.whole.text() + " = " + split.outer.text() + " * " + split.inner.text();
    if (!split.fixed) return;
    out += " where " + split.fixed->text() + " = ";
    expr(*split.size);
  }
  void print(const Let &let) {
    out += "let ";
    names(let.names);
    out += " = ";
    expr(let.value);
  }
  void print(const Assign &assign) {
    out += assign.name.text + " = ";
    expr(assign.value);
  }

  void print(const std::unique_ptr<Gradient> &gradient) {
    out += "gradient " + gradient->name.text + " of " + gradient->of.text + " {\n";
    auto clause = [&](const char *keyword, const std::vector<Name> &list) {
      if (list.empty()) return;
      out += keyword;
      names(list);
      out += '\n';
    };
    clause("  of    ", gradient->cotangents);
    clause("  wrt   ", gradient->wrt);
    clause("  given ", gradient->given);
    out += "}\n";
  }
};
} // namespace

std::string_view spellingOf(Expr::Op op) {
  constexpr std::array<std::string_view, 12> spelling = {
      "+", "-", "*", "/", "<", "<=", ">", ">=", "==", "!=", "and", "or"};
  return spelling[static_cast<size_t>(op)];
}

std::string_view nameOf(ParameterKind kind) {
  constexpr std::array<std::string_view, 6> names = {"type", "int", "real", "bool", "method", "fn"};
  return names[static_cast<size_t>(kind)];
}

std::string printAst(const Unit &unit) {
  Printer printer;
  printer.unit(unit);
  return printer.out;
}

std::string toText(const Expr &expr) {
  Printer printer;
  printer.expr(expr);
  return printer.out;
}

std::string toText(const TensorType &type) {
  Printer printer;
  printer.type(type);
  return printer.out;
}

} // namespace normc
