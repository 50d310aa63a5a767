// Square tiles of what lies the other way round: vectors of rows are loaded, turned over in registers, and are vectors
// of lanes then.
#include "compiler/cpu/ConvertElements.h"
#include "compiler/cpu/PhaseLowering.h"
#include "compiler/schedule/Structure.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
using namespace mlir;
using namespace norm;
using namespace normc;

// The lines of rows that lie a multiple of so many bytes apart share few places of a cache: more than a tile of them
// push each other out.
static constexpr int64_t crowdedStride = 1024;
// What a strip of rows end to end stores past the caches, if it is more than a tile; twice that into them.
static constexpr int64_t stripBytes = 8192;

/// Square tiles of vectors turned over: the halves that lie across the diagonal change places, then those of the
/// halves.
SmallVector<Value> PhaseLowering::transpose(SmallVector<Value> rows) {
  int64_t size = rows.size();
  for (int64_t distance = size / 2; distance >= 1; distance /= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t i = 0; i < size; ++i) {
      low.push_back(i & distance ? size + i - distance : i);
      high.push_back(i & distance ? size + i : i + distance);
    }
    for (int64_t i = 0; i < size; ++i) {
      if (i & distance) continue;
      Value upper = rows[i], lower = rows[i + distance];
      rows[i] = vector::ShuffleOp::create(b, upper, lower, low);
      rows[i + distance] = vector::ShuffleOp::create(b, upper, lower, high);
    }
  }
  return rows;
}

/// What the rows of a strip compute each for itself and a body uses: an array of each value, by the row's number in the
/// strip.
PhaseLowering::RowValues PhaseLowering::valuesOfRows(Block &rowBody, Block &body, StringAttr row, Value from,
                                                     Value to) {
  RowValues values;
  for (Operation &op : rowBody.without_terminator())
    if (llvm::any_of(op.getUsers(), [&](Operation *user) { return user->getBlock() == &body; }))
      values.emplace_back(op.getResult(0), newArray(heldType(op.getResult(0)), turnedRows));
  auto saved = scalars;
  loop(from, to, constant(1), {}, [&](Value position, ValueRange) {
    positions[row] = position;
    lowerRow(rowBody);
    for (auto [value, array] : values) toArray(scalars.lookup(value), array, arith::SubIOp::create(b, position, from));
    positions.erase(row);
    return Values();
  });
  scalars = saved;
  return values;
}

/// How many rows one element of a vector holds while it is turned over: two where all elements have 16 bits.
int64_t PhaseLowering::rowsInWord(ArrayRef<LoadOp> across) {
  auto isHalf = [](LoadOp load) {
    return load.getType().isF32() && bytesOfElement(getElementTypeOrSelf(load.getFrom().getType())) == 2;
  };
  return llvm::all_of(across, isHalf) ? 2 : 1;
}

/// A vector of lanes for each row of a tile, or for each two, as memory has them, that share its elements.
PhaseLowering::Values PhaseLowering::turnOver(LoadOp load, const TileRows &rows, const Lanes &lanes, Value to,
                                              int64_t perWord) {
  Lanes along = {rows.row, rows.first, width * perWord, {}, 0};
  if (rows.end) along.mask = tailMask(rows.first, rows.end, along.width);
  const Memory &memory = memories.find(load.getFrom())->second;
  Value last = arith::SubIOp::create(b, to, constant(1));
  Values vectors;
  for (int64_t i = 0; i < width; ++i) {
    Value position = add(lanes.first, constant(i));
    positions[lanes.axis] = lanes.mask ? arith::MinSIOp::create(b, position, last).getResult() : position;
    auto [offset, stride] = offsetOf(memory, along, {});
    if (streaming && !rows.end)
      fetch(memory, add(offset, add(rows.first, aheadOf(load, rows, lanes, perWord))), 1, Fetched::soon);
    Value vector = loadFrom(memory, offset, stride, along, perWord > 1 ? memory.storage : load.getType());
    if (perWord > 1) vector = vector::BitCastOp::create(b, VectorType::get(width, b.getI32Type()), vector);
    vectors.push_back(vector);
  }
  positions.erase(lanes.axis);
  return transpose(vectors);
}

/// How far from what a tile reads the lines lie that come a strip, or a tile, later: of each the last element, since
/// the line of the first may be at hand.
Value PhaseLowering::aheadOf(LoadOp load, const TileRows &rows, const Lanes &lanes, int64_t perWord) {
  Value stride = strideAlongParts(memories.find(load.getFrom())->second, lanes.axis);
  Value below = rows.count, beside = stride ? multiply(stride, constant(width * perWord)) : below;
  return add(arith::SelectOp::create(b, rows.areFew, below, beside), constant(width * perWord - 1));
}

/// Brings into the caches what a later tile reads and the next one stores.
void PhaseLowering::fetchTiles(Block &body, const TileRows &rows, ArrayRef<Lanes> steps, int64_t perWord) {
  const Lanes &lanes = steps.front();
  int64_t size = width * perWord;
  for (LoadOp load : loadsAcross(rows.row, lanes.axis, body)) {
    const Memory &memory = memories.find(load.getFrom())->second;
    Value ahead = aheadOf(load, rows, lanes, perWord);
    loop(constant(0), constant(width * steps.size()), constant(1), {}, [&](Value number, ValueRange) {
      positions[lanes.axis] = add(lanes.first, number);
      Value offset = offsetOf(memory, {rows.row, rows.first, size, {}, 0}, {}).first;
      positions.erase(lanes.axis);
      fetch(memory, add(offset, add(rows.first, ahead)), 1, Fetched::soon);
      return Values();
    });
  }
  for (StoreOp store : body.getOps<StoreOp>()) {
    if (!mayStream(store)) continue;
    const Memory &memory = memories.find(store.getTo())->second;
    loop(constant(0), constant(size), constant(1), {}, [&](Value number, ValueRange) {
      positions[rows.row] = add(rows.first, number);
      Value offset = offsetOf(memory, lanes, {}).first;
      positions.erase(rows.row);
      fetch(memory, add(offset, add(lanes.first, constant(width * steps.size()))), width * steps.size(),
            Fetched::stored);
      return Values();
    });
  }
}

/// The even or the odd one of two rows of 16 bits.
Value PhaseLowering::rowOfWords(Value words, Value odd, Type storage) {
  Value bits = arith::TruncIOp::create(b, b.getI32Type(), multiply(odd, constant(16)));
  auto all = [&](Value value) { return splat(value, width); };
  auto number = [&](int32_t value) { return arith::ConstantIntOp::create(b, value, 32); };
  if (!storage.isBF16()) {
    words = arith::ShRUIOp::create(b, words, all(bits));
    Value half = arith::TruncIOp::create(b, VectorType::get(width, b.getI16Type()), words);
    half = arith::BitcastOp::create(b, VectorType::get(width, memoryType(storage)), half);
    return loadConvert(b, b.getLoc(), half, storage, b.getF32Type());
  }
  words = arith::ShLIOp::create(b, words, all(arith::SubIOp::create(b, number(16), bits)));
  words = arith::AndIOp::create(b, words, all(number(0xffff0000)));
  return arith::BitcastOp::create(b, VectorType::get(width, b.getF32Type()), words);
}

/// A body at one row, that of a number among some, which has computed its own values.
void PhaseLowering::emitRow(Block &body, const TileRows &rows, ArrayRef<Lanes> steps, Value number) {
  positions[rows.row] = add(rows.first, number);
  for (auto [value, array] : rows.values) scalars[value] = fromArray(array, heldType(value), add(rows.place, number));
  emitPoints(body, steps);
  for (auto [value, array] : rows.values) scalars.erase(value);
  positions.erase(rows.row);
}

/// A body at some vectors of lanes and as many rows as are turned over at a time. One vector of whole elements stays in
/// registers; more, and rows of which there are fewer, wait in an array.
void PhaseLowering::emitTile(Block &body, const TileRows &rows, ArrayRef<Lanes> steps, Value to) {
  SmallVector<LoadOp> across = loadsAcross(rows.row, steps.front().axis, body);
  int64_t perWord = rowsInWord(across), count = steps.size();
  if (rows.isFar && !streaming && !rows.end && !steps.front().mask)
    choose(rows.isFar, [&] { return fetchTiles(body, rows, steps, perWord), Values(); }, [] { return Values(); });
  if (!rows.end && perWord == 1) {
    SmallVector<Values> tiles;
    for (LoadOp load : across)
      for (const Lanes &lanes : steps) tiles.push_back(turnOver(load, rows, lanes, to, perWord));
    for (int64_t i = 0; i < width; ++i) {
      for (auto [number, load] : llvm::enumerate(across)) {
        turned[load].clear();
        for (int64_t step = 0; step < count; ++step) turned[load].push_back(tiles[number * count + step][i]);
      }
      emitRow(body, rows, steps, constant(i));
    }
  } else {
    auto wordOf = [&](LoadOp load) { return perWord > 1 ? b.getI32Type() : load.getType(); };
    Values arrays;
    for (LoadOp load : across) {
      arrays.push_back(newArray(wordOf(load), width * width * count));
      for (auto [step, lanes] : llvm::enumerate(steps))
        for (auto [i, vector] : llvm::enumerate(turnOver(load, rows, lanes, to, perWord)))
          toArray(vector, arrays.back(), constant((i * count + step) * width));
    }
    Value end = constant(width * perWord);
    if (rows.end) end = arith::MinSIOp::create(b, end, arith::SubIOp::create(b, rows.end, rows.first));
    auto emitNumber = [&](Value number, Value word, Value odd) {
      for (auto [load, array] : llvm::zip(across, arrays)) {
        turned[load].clear();
        for (int64_t step = 0; step < count; ++step) {
          Value place = multiply(add(multiply(word, constant(count)), constant(step)), constant(width));
          Value value = fromArray(array, wordOf(load), place, width);
          Type storage = getElementTypeOrSelf(load.getFrom().getType());
          turned[load].push_back(perWord > 1 ? rowOfWords(value, odd, storage) : value);
        }
      }
      emitRow(body, rows, steps, number);
    };
    // Both rows of a word together, where there are two: neither is shifted by what is only known at run time.
    int64_t together = rows.end ? 1 : perWord;
    loop(constant(0), end, constant(together), {}, [&](Value number, ValueRange) {
      Value size = constant(perWord), word = arith::DivUIOp::create(b, number, size);
      if (rows.end) emitNumber(number, word, arith::RemUIOp::create(b, number, size));
      else
        for (int64_t odd = 0; odd < perWord; ++odd) emitNumber(add(number, constant(odd)), word, constant(odd));
      return Values();
    });
  }
  turned.clear();
}

/// So many vectors of lanes beside each other fill a line of each output, where they are not too many to be turned over
/// in registers: parts of lines that go past the caches one by one take three times as long.
int64_t PhaseLowering::vectorsOfTile(Block &body) {
  constexpr int64_t mostLanes = 32;
  int64_t points = 1;
  for (StoreOp store : body.getOps<StoreOp>())
    points = std::max(points, shape.lineBytes / bytesOfElement(getElementTypeOrSelf(store.getTo().getType())));
  return points <= mostLanes ? std::max<int64_t>(1, points / width) : 1;
}

/// How many rows are a strip, and whether the lines that it reads, with those of the next strip, fit the first cache.
/// Such rows, stored one right behind another, are few, for they store to few places at a time then: what a processor
/// would fetch ahead by itself is none of the lines that come next. Elsewhere many rows read more of each line, unless
/// theirs crowd.
std::pair<Value, Value> PhaseLowering::rowsOfStrip(StringAttr row, StringAttr axis, Block &body, Value stripBytes) {
  auto [from, to] = rangeOf(axis);
  SmallVector<LoadOp> across = loadsAcross(row, axis, body);
  Value lanes = arith::SubIOp::create(b, to, from);
  auto both = [&](Value x, Value y) { return arith::AndIOp::create(b, x, y).getResult(); };
  auto compare = [&](arith::CmpIPredicate how, Value x, Value y) {
    return arith::CmpIOp::create(b, how, x, y).getResult();
  };
  // How far a stride is from the next lower one that crowds.
  auto misfit = [&](Value stride, const Memory &memory) {
    Value bytes = multiply(stride, constant(bytesOfElement(memory.storage)));
    return arith::AndIOp::create(b, bytes, constant(crowdedStride - 1)).getResult();
  };
  int64_t least = width * rowsInWord(across);
  Value fit = compare(arith::CmpIPredicate::sle, lanes, constant(shape.l1Bytes / 2 / shape.lineBytes));
  for (LoadOp load : across) {
    const Memory &memory = memories.find(load.getFrom())->second;
    least = std::max(least, shape.lineBytes / bytesOfElement(memory.storage));
    Value stride = strideAlongParts(memory, axis); // none: parts of a split axis that lie apart
    fit = both(fit, stride ? compare(arith::CmpIPredicate::ne, misfit(stride, memory), constant(0))
                           : arith::ConstantIntOp::create(b, 0, 1).getResult());
  }
  Value few = constant(turnedRows), many = constant(turnedRows);
  for (StoreOp store : body.getOps<StoreOp>()) {
    const Memory &memory = memories.find(store.getTo())->second;
    Value stride = strideAlongParts(memory, row);
    if (!stride) continue;
    fit = both(fit, compare(arith::CmpIPredicate::eq, stride, lanes));
    Value laneBytes = multiply(lanes, constant(bytesOfElement(memory.storage)));
    laneBytes = arith::MaxSIOp::create(b, laneBytes, constant(1));
    few = arith::MinSIOp::create(b, few, arith::DivUIOp::create(b, stripBytes, laneBytes));
    Value isCrowded = compare(arith::CmpIPredicate::eq, misfit(stride, memory), constant(0));
    many = arith::SelectOp::create(b, isCrowded, constant(least), many);
  }
  // A power of 2, so that strips end where blocks do.
  few = LLVM::CountLeadingZerosOp::create(b, arith::MaxSIOp::create(b, few, constant(least)), /*is_zero_poison=*/true);
  few = arith::ShRUIOp::create(b, constant(std::numeric_limits<int64_t>::min()), few);
  return {arith::SelectOp::create(b, fit, few, many), fit};
}

/// Rows and lanes where some memory lies the other way round, by strips of rows. What is left beside whole tiles goes
/// under masks, or is gathered.
void PhaseLowering::lowerTiles(StringAttr row, StringAttr axis, Block *rowBody, Block &body) {
  auto [firstRow, lastRow] = rangeOf(row);
  auto [from, to] = rangeOf(axis);
  int64_t perWord = rowsInWord(loadsAcross(row, axis, body));
  int64_t vectors = std::max(perWord, vectorsOfTile(body));
  Value tileRows = constant(width * perWord), tileLanes = constant(width * vectors);
  auto wholeSteps = [&](Value begin, Value end, Value step) {
    return add(begin, multiply(arith::DivSIOp::create(b, arith::SubIOp::create(b, end, begin), step), step));
  };
  // Vectors that are stored as one are aligned as one.
  Lanes wholeLine{axis, from, width, {}, 0};
  wholeLine.width = std::max(width, width * width * vectors / storedPoints(body, wholeLine));
  positions[row] = firstRow;
  Value streams = guarding ? Value() : mayBypass(body, wholeLine, row);
  positions.erase(row);
  Value isFar, bytes = constant(2 * stripBytes);
  if (streams) {
    // Tiles of two rows in a word store to twice as many places: where lanes are long, that pays later.
    Value large = crowdedBypassBytes();
    Value areLong =
        arith::CmpIOp::create(b, arith::CmpIPredicate::sgt, arith::SubIOp::create(b, to, from), constant(256));
    if (perWord > 1) large = arith::SelectOp::create(b, areLong, multiply(large, constant(2)), large);
    streams = arith::AndIOp::create(b, reaches({body.getParentOp()}, large), streams);
    isFar = reaches({body.getParentOp()}, usualBypassBytes());
    bytes = arith::SelectOp::create(b, streams, constant(stripBytes), bytes);
  }
  Value tiledTo = wholeSteps(from, to, tileLanes);
  auto [rows, areFew] = rowsOfStrip(row, axis, body, bytes);
  // Whole elements that are read in the order of memory, or nearly, the processor fetches ahead itself.
  if (isFar && perWord == 1) isFar = arith::AndIOp::create(b, isFar, areFew);
  auto strip = [&, from = from, to = to, rows = rows, areFew = areFew](Value stripFrom, Value stripTo) {
    Value rowsTo = wholeSteps(stripFrom, stripTo, tileRows);
    RowValues values;
    if (rowBody) values = valuesOfRows(*rowBody, body, row, stripFrom, stripTo);
    auto rowsAt = [&](Value first, Value end) -> TileRows {
      return {row, first, end, arith::SubIOp::create(b, first, stripFrom), rows, areFew, isFar, values};
    };
    auto tiles = [&](Value begin, Value end, Value last, ArrayRef<Lanes> steps) {
      loop(begin, end, tileRows, {}, [&](Value position, ValueRange) {
        emitTile(body, rowsAt(position, last), steps, to);
        return Values();
      });
    };
    auto wholeLanes = [&](Value begin, Value end, Value last) {
      return loop(from, tiledTo, tileLanes, {}, [&](Value first, ValueRange) {
        SmallVector<Lanes> steps;
        for (unsigned i = 0; i < vectors; ++i) steps.push_back({axis, add(first, constant(i * width)), width, {}, i});
        tiles(begin, end, last, steps);
        return Values();
      });
    };
    ifStreaming(streams, [&] { return wholeLanes(stripFrom, rowsTo, {}); });
    if (shape.masked) {
      wholeLanes(rowsTo, stripTo, stripTo);
      loop(tiledTo, to, constant(width), {}, [&](Value first, ValueRange) {
        Lanes lanes{axis, first, width, tailMask(first, to, width), 0};
        tiles(stripFrom, rowsTo, {}, lanes);
        tiles(rowsTo, stripTo, stripTo, lanes);
        return Values();
      });
      return;
    }
    Value wideTo = wholeSteps(from, to, constant(width));
    if (vectors > 1)
      loop(tiledTo, wideTo, constant(width), {}, [&](Value first, ValueRange) {
        tiles(stripFrom, rowsTo, {}, Lanes{axis, first, width, {}, 0});
        return Values();
      });
    auto rest = [&](Value begin, Value end, int64_t points, Value start) {
      loop(begin, end, constant(points), {}, [&](Value first, ValueRange) {
        return loop(start, stripTo, constant(1), {}, [&](Value position, ValueRange) {
          emitRow(body, rowsAt(position, {}), {{axis, first, points, {}, 0}}, constant(0));
          return Values();
        });
      });
    };
    rest(from, wideTo, width, rowsTo);
    rest(wideTo, to, 1, stripFrom);
  };
  loop(firstRow, lastRow, rows, {}, [&, lastRow = lastRow, rows = rows](Value position, ValueRange) {
    strip(position, arith::MinSIOp::create(b, add(position, rows), lastRow));
    return Values();
  });
}
