"""The bytes that `normc explain` counts are those that a plan moves: every loop of the planned kernel is walked point by
point for small extents, and what each phase touches of each tensor is counted."""

import math
import os
import re

from harness import SPECS, Failure, check, finish, normc
from widths import BOUND, LAST

TARGETS = ["cpu:x86-64-v4", "cpu:x86-64-v4/resident=64"]
ELEMENTS = {"f64": 8, "i64": 8, "f32": 4, "i32": 4, "f16": 2, "bf16": 2}
# Of leaf axes, in turn, small and large enough for several chunks.
EXTENTS = [(2, 3, 5, 2, 3), (3, 70, 2, 4, 2)]


def text_of(command, arguments):
    done = normc(command, *arguments)
    if done.returncode != 0:
        raise Failure(f"status {done.returncode}: {done.stderr.strip()}")
    return done.stdout


class Plan:
    """One variant of a planned kernel, for some extents."""

    def __init__(self, header, body, aliases, extents):
        self.aliases, self.rows, self.extents = aliases, {}, {}
        axes = re.search(r"axes\((.*?)\) \(%", header).group(1)
        # The parts after `per` and `over` have commas of their own.
        for row in re.split(r",\s*(?![^\[]*\])", axes):
            name, _, rest = row.partition(" = ")
            self.rows[name] = rest
        sizes = iter(extents * 10)
        for name, rest in self.rows.items():
            if not rest or rest.isdigit():
                self.extents[name] = int(rest) if rest else next(sizes)
        self.names = dict(re.findall(r'(%arg\d+): \S+ \{[^}]*?norm\.name = "(\w+)"', header))
        self.types = dict(re.findall(r"(%arg\d+): (\S+)", header))
        for number, (value, type) in enumerate(re.findall(r"(%\d+) = norm\.workspace : (\S+)", body)):
            self.names[value], self.types[value] = f"workspace{number}", type
        self.header, self.body = header, body

    def chunk(self, name):
        whole, points, per = re.match(r"(\w+) by (\d+)(?: per \[([^]]*)\])?", self.rows[name]).groups()
        inside = math.prod(self.extent(axis) for axis in re.findall(r"\w+", per or ""))
        length = max(1, int(points) // max(1, inside))
        most = re.search(r"most (\d+)", self.rows[name])
        if most and -(-self.extent(whole) // length) > int(most[1]):
            raise Failure(f"{name}: extents too large for this test")
        return whole, length

    def extent(self, name):
        if name in self.extents:
            return self.extents[name]
        if " * " in self.rows[name]:
            outer, inner = self.rows[name].split(" * ")
            return self.extent(outer) * self.extent(inner)
        whole, length = self.chunk(name)
        return -(-self.extent(whole) // length)

    def runs(self):
        guards = re.findall(r"\{axes = \[([^]]*)\], (most|over) = (\d+)", self.header)
        points = [math.prod(self.extent(axis) for axis in re.findall(r"\w+", axes)) for axes, _, _ in guards]
        return all((count > int(limit)) == (word == "over") for count, (_, word, limit) in zip(points, guards))

    def sweep(self, axes, state):
        """The states of a loop over axes, outermost first."""
        if not axes:
            yield state
            return
        for inner in self.positions(axes[0], state):
            yield from self.sweep(axes[1:], inner)

    def positions(self, name, state):
        first, last = 0, self.extent(name)
        for bound in state:
            if " by " in self.rows[bound] and self.chunk(bound)[0] == name:
                length = self.chunk(bound)[1]
                first, last = state[bound] * length, min(last, (state[bound] + 1) * length)
        is_whole = (first, last) == (0, self.extent(name))
        if " * " in self.rows[name] and is_whole:  # its outer part may go by chunks
            yield from self.sweep(self.rows[name].split(" * "), state)
            return
        for position in range(first, last):
            yield {**state, **self.parts(name, position)}

    def parts(self, name, position):
        if " * " not in self.rows[name]:
            return {name: position}
        outer, inner = self.rows[name].split(" * ")
        size = self.extent(inner)
        return {**self.parts(outer, position // size), **self.parts(inner, position % size)}

    def position(self, name, state):
        if name in state:
            return state[name]
        outer, inner = self.rows[name].split(" * ")
        return self.position(outer, state) * self.extent(inner) + self.position(inner, state)

    def touched(self):
        """For each phase, the places that it reads and writes: (verb, memory) to a set."""
        phases, lines = [], iter(self.body.splitlines())
        for line in lines:
            if "norm.phase [" in line:
                phases.append({})
                self.walk(self.tree(line, lines), {}, phases[-1])
        return phases

    def tree(self, line, lines):
        """A loop: its axes, and what stands in it."""
        axes = re.findall(r"\w+", re.search(r"norm\.(?:phase|pass) \[([^]]*)\]", line)[1])
        inside = []
        for line in lines:
            line = line.strip()
            if line.startswith("}"):
                break
            if "norm.pass [" in line:
                inside.append(self.tree(line, lines))
            elif access := re.match(r"%\S+ = norm\.load (%\w+) +(at )?", line):
                inside.append(("reads", access[1], bool(access[2])))
            elif access := re.match(r"norm\.store .* to (%\w+) : ", line):
                inside.append(("writes", access[1], False))
        return axes, inside

    def walk(self, loop, state, phase):
        axes, inside = loop
        for at in self.sweep(axes, state):
            for entry in inside:
                if isinstance(entry[0], list):
                    self.walk(entry, at, phase)
                    continue
                verb, memory, is_given = entry
                places = phase.setdefault((verb, memory), set())
                if is_given:
                    places.add(None)  # a position that the call tells
                else:
                    places.add(tuple(self.position(axis, at) for axis in self.aliases[self.types[memory]][1]))

    def bytes(self, memory, count):
        element = self.aliases[self.types[memory]][0]
        return count * ELEMENTS.get(element, 1)


def evaluated(formula, plan, axes):
    """A number of bytes as explain writes it."""

    def chunks(match):
        return str(next(plan.extent(a) for a in axes if " by " in plan.rows[a] and plan.chunk(a)[0] == match[1]))

    text = re.sub(r"chunks\((\w+)\)", chunks, formula)
    return eval(re.sub(r"[a-zA-Z_]\w*", lambda match: str(plan.extent(match[0])), text))  # numbers, * and + are left


def compared(arguments, extents):
    planned = text_of("compile", [*arguments, "--emit", "planned", "-o", "-"])
    aliases = {}
    for alias, element, axes in re.findall(r"(!\w+) = tensor<(?:\?x)*(\w+), #norm\.axes<([^>]*)>>", planned):
        aliases[alias] = (element, re.findall(r"\w+", axes))
    for element in re.findall(r"tensor<(\w+)>", planned):
        aliases[f"tensor<{element}>"] = (element, [])
    explained = re.split(r"(?m)^kernel ", text_of("explain", arguments))[1:]
    variants = re.split(r"(?m)^ *norm\.kernel ", planned)[1:]
    ran = 0
    for variant, text in zip(variants, explained):
        header, _, body = variant.partition("\n")
        plan = Plan(header, body, aliases, extents)
        if not plan.runs():
            continue
        ran += 1
        phases = re.split(r"(?m)^  phase \d+: ", text)[1:]
        touched = plan.touched()
        if len(phases) != len(touched):
            raise Failure(f"{len(phases)} phases explained, {len(touched)} planned")
        total = 0
        for number, (phase, places) in enumerate(zip(phases, touched)):
            said = {(verb, name): formula for verb, name, formula in re.findall(r"(?m)^    (reads|writes) (\w+) \((.*) bytes\)", phase)}
            if set(said) != {(verb, plan.names[memory]) for verb, memory in places}:
                raise Failure(f"phase {number}: explained {sorted(said)}, planned {sorted(places)}")
            for (verb, memory), points in places.items():
                count = evaluated(said[verb, plan.names[memory]], plan, aliases[plan.types[memory]][1])
                moved = plan.bytes(memory, len(points))
                if None not in points and count != moved:
                    raise Failure(f"phase {number} {verb} {moved} bytes of {plan.names[memory]}, explained as {count}")
                total += count if memory.startswith("%arg") else 0
        traffic = evaluated(re.search(r"memory traffic: (.*) bytes", text)[1], plan, [])
        if traffic != total:
            raise Failure(f"{total} bytes of memory traffic, explained as {traffic}")
    if ran != 1:
        raise Failure(f"{ran} variants run")


def main():
    for name in sorted(os.listdir(SPECS)):
        if not name.endswith(".norm"):
            continue
        path = os.path.join(SPECS, name)
        listed = text_of("check", [path])
        for kernel, inputs in re.findall(r"(?m)^(\w+)(?:<.*>)?\((.*)\) -> ", listed):
            if "across replicas" in open(path, encoding="utf-8").read():
                continue
            bound = BOUND.get(name.removesuffix(".norm"), []) if "ghost" in kernel else []
            for layout in [[]] + ([LAST] if re.search(r"\bx: \w+\[n, c, s\.\.\.\]", inputs) and "dy: " not in inputs else []):
                for target in TARGETS:
                    for extents in EXTENTS:
                        arguments = [path, "-k", kernel, *bound, *layout, "--target", target]
                        check(f"{kernel} {' '.join(layout)} {target} {extents}", compared, arguments, extents)
    finish()


if __name__ == "__main__":
    main()
