#ifndef NORMC_COMPILER_CPU_PHASELOWERING_H
#define NORMC_COMPILER_CPU_PHASELOWERING_H
#include "compiler/cpu/FiniteSums.h"
#include "dialect/Norm.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace normc {

/// What the vector code of one target looks like.
struct VectorShape {
  int64_t bytes = 64;        // of a vector register
  int64_t accumulators = 4;  // vectors a step of the lanes' loop, and partial results of a reduction
  bool masked = true;        // tails run masked; else point by point
  int64_t streamBytes = 0;   // what reaches so much memory stores past the caches; 0: nothing does
  bool roundsToBf16 = false; // one instruction does
  bool looksUpBytes = false; // two registers are a table
  bool spreads = false;      // one instruction takes each lane from where another vector says
  int64_t l1Bytes = 0;       // of a core's first cache
  int64_t lineBytes = 64;    // of a cache line
};

/// What a value is where it is a constant.
std::optional<int64_t> fixedValue(mlir::Value value);
/// Of an element in memory.
int64_t bytesOfElement(mlir::Type storage);

/// Memory that a kernel's argument or workspace is: dense, in the order of its type.
struct Memory {
  mlir::Value base;
  mlir::Type storage;
  llvm::SmallVector<mlir::StringAttr> axes;
  llvm::SmallVector<mlir::Value> strides; // in elements
};

/// Where the lanes of the pass at hand stand: `width` points from `first` on, the first `count` of them where a mask is
/// given. A width of 1 is a single point. Of two interleaved vectors, which are at the same place, the one has the even
/// points and the other the odd ones. Where blocks run side by side, each has memories of its own.
struct Lanes {
  mlir::StringAttr axis;
  mlir::Value first;
  int64_t width = 1;
  mlir::Value mask;
  unsigned step = 0; // which of the vectors of one turn of the loop
  bool interleaved = false;
  const llvm::DenseMap<mlir::Value, Memory> *memories = nullptr; // of one block of several, if not the block at hand
};

/// Lowers the body of one phase into a function: extents and strides first, then a loop over blocks. The rule is one:
/// each scalar op of the plan is cloned on vectors along the lanes, on scalars elsewhere.
class PhaseLowering {
public:
  PhaseLowering(norm::KernelOp kernel, const VectorShape &shape, mlir::ImplicitLocOpBuilder &builder);

  /// Declares what the function's arguments are, before anything is lowered.
  void setExtents(llvm::ArrayRef<mlir::Value> leafExtents);
  void addMemory(mlir::Value planned, mlir::Value base);
  void addScalar(mlir::Value planned, mlir::Value scalar) { scalars[planned] = scalar; }

  /// The extent of any axis of the table; the length of a chunk.
  mlir::Value extent(mlir::StringAttr axis) { return extents.lookup(axis); }
  mlir::Value blocksOf(norm::PhaseOp phase);
  /// Bytes of a workspace; rounded up to a cache line.
  mlir::Value denseBytesOf(mlir::Type memory);
  mlir::Value bytesOf(mlir::Type memory);
  /// Blocks first up to, and without, last.
  void lowerBlocks(norm::PhaseOp phase, mlir::Value first, mlir::Value last);
  /// Whether stores that bypass the caches were emitted: they want a fence before another thread reads.
  bool hasStreamed() const { return streamed; }

private:
  using Values = llvm::SmallVector<mlir::Value>;

  // Addresses (LowerMemory.cpp)
  mlir::Value constant(int64_t value);
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value multiply(mlir::Value a, mlir::Value b);
  std::pair<mlir::Value, mlir::Value> rangeOf(mlir::StringAttr axis);
  std::pair<mlir::Value, mlir::Value> wholeRangeOf(mlir::StringAttr axis);
  mlir::Value sampledOf(mlir::Value points);
  mlir::Value positionOf(mlir::StringAttr axis);
  size_t partsAt(llvm::ArrayRef<mlir::StringAttr> axes, mlir::StringAttr axis);
  bool rangesOver(llvm::ArrayRef<mlir::StringAttr> axes, mlir::StringAttr axis);
  bool endsWith(llvm::ArrayRef<mlir::StringAttr> axes, mlir::StringAttr axis);
  std::pair<mlir::Value, mlir::Value> offsetOf(const Memory &memory, const Lanes &lanes,
                                               llvm::ArrayRef<std::pair<mlir::StringAttr, mlir::Value>> given);
  const Memory &memoryAt(mlir::Value planned, const Lanes &lanes);
  mlir::Value load(norm::LoadOp op, const Lanes &lanes, llvm::ArrayRef<mlir::Value> positions);
  void store(norm::StoreOp op, const Lanes &lanes, mlir::Value value);
  void storeTo(const Memory &memory, mlir::Value offset, mlir::Value stride, const Lanes &lanes, mlir::Value value,
               bool streams);
  bool mayStream(norm::StoreOp op);
  bool loadsTogether(norm::LoadOp op, llvm::ArrayRef<Lanes> lanes);
  Values loadTogether(norm::LoadOp op, const Lanes &first);
  void storeTogether(norm::StoreOp op, const Lanes &low, Values values);
  bool roundsTogether(mlir::Type storage);
  unsigned storedTogether(norm::StoreOp op, const Lanes &lanes);
  bool canInterleave(mlir::Block &body, const Lanes &lanes, mlir::StringAttr rowAxis);
  mlir::Value loadInterleaved(const Memory &memory, mlir::Value address, const Lanes &lanes, mlir::Type compute);
  mlir::Value toStorage(mlir::Value value, mlir::Type storage);
  mlir::Value loadFrom(const Memory &memory, mlir::Value offset, mlir::Value stride, const Lanes &lanes,
                       mlir::Type compute);
  mlir::Value asComputed(mlir::Value raw, mlir::Type storage, mlir::Type compute);
  mlir::Value pointers(const Memory &memory, mlir::Value offset, mlir::Value stride, const Lanes &lanes);
  mlir::Value wantsBypass(mlir::Block &body, const Lanes &lanes);
  mlir::Value nextLine(mlir::Block &body, const Lanes &lanes, mlir::Value to);
  mlir::Value canStream(mlir::Block &body, const Lanes &lanes, mlir::StringAttr rowAxis, mlir::Value rows = {});
  mlir::Value mayBypass(mlir::Block &body, const Lanes &lanes, mlir::StringAttr rowAxis, mlir::Value rows = {});
  mlir::Value bytesReached(llvm::ArrayRef<mlir::Operation *> ops);
  mlir::Value reaches(llvm::ArrayRef<mlir::Operation *> ops, mlir::Value bytes);
  mlir::Value bypassBytes(llvm::ArrayRef<mlir::Operation *> ops);
  mlir::Value usualBypassBytes();
  bool readsTwoOf(llvm::ArrayRef<mlir::Operation *> ops);
  mlir::Value crowdedBypassBytes();
  mlir::Value isBeyondCaches(llvm::ArrayRef<mlir::Operation *> ops);
  mlir::Value isCrowded(mlir::Block &body, const Lanes &lanes);
  int64_t storedBytes(const Memory &memory, const Lanes &lanes);
  mlir::Value splat(mlir::Value value, int64_t width);
  mlir::Value fullMask(int64_t width);

  // What is the same along short runs (LowerSpread.cpp)
  struct Run {
    mlir::Value points;   // how many, 1 at the least
    mlir::Value inverse;  // 2^63 / points, rounded up
    mlir::Value fraction; // 2^27 / points, rounded up
    mlir::Value along;    // that, times each lane
    mlir::Value table;    // the run of each point, from the first run on; null where runs may be long
  };
  bool isSpread(const Memory &memory, const Lanes &lanes);
  const Run &runOf(mlir::StringAttr axis);
  mlir::Value runsFrom(mlir::Value point, const Run &run, bool skipsOdd = false);
  mlir::Value paddedBase(mlir::Value planned);
  mlir::Value elementsOf(const Memory &memory);
  mlir::Value runAt(mlir::Value point, const Run &run);
  bool isPermuted(norm::LoadOp op, const Lanes &lanes);
  Values permuted(norm::LoadOp op, const Lanes &lanes, int64_t count);
  bool spreadsTogether(norm::LoadOp op, llvm::ArrayRef<Lanes> lanes);
  void loadSpreadTogether(mlir::Block &body, llvm::ArrayRef<Lanes> lanes,
                          llvm::MutableArrayRef<llvm::DenseMap<mlir::Value, mlir::Value>> values);
  mlir::Value loadSpread(norm::LoadOp op, const Lanes &lanes);

  // Rows end to end (LowerRuns.cpp)
  norm::PassOp sweepOfRuns(norm::PassOp rows, unsigned depth);
  int64_t storedPoints(mlir::Block &body, const Lanes &lanes);
  bool lowerRuns(norm::PassOp rows, unsigned depth, llvm::function_ref<void()> oneByOne);
  void lowerEndToEnd(norm::PassOp rows, norm::PassOp sweep, mlir::StringAttr flat, mlir::Value begin, int64_t unit,
                     bool streams);

  // One block or row after another (LowerTurns.cpp)
  void lowerTurns(mlir::Value first, mlir::Value last, mlir::Block &body, llvm::function_ref<void(mlir::Value)> bind);
  void lowerOps(llvm::ArrayRef<mlir::Operation *> ops);
  Values choose(mlir::Value condition, llvm::function_ref<Values()> yes, llvm::function_ref<Values()> no);
  mlir::Type heldType(mlir::Value planned);
  mlir::Value zeroOf(mlir::Value planned);
  mlir::Value goesAhead(llvm::ArrayRef<llvm::SmallVector<mlir::Operation *>> stages, norm::PassOp sweep);

  // What is asked for ahead (LowerFetches.cpp)
  enum class Fetched { later, soon, stored };
  struct Fetching {
    llvm::SmallVector<Memory> places; // a base each, so that the lanes' positions lead there
    mlir::Value when;                 // null where always
    Fetched as = Fetched::later;
  };
  llvm::SmallVector<Memory> fetchedDuring(norm::PassOp pass, mlir::StringAttr axis, mlir::Value from);
  llvm::SmallVector<Memory> arraysAlong(mlir::Block &body, mlir::StringAttr axis);
  static bool isNarrow(const Memory &memory);
  Fetching fetchedByMap(norm::PassOp pass, mlir::StringAttr axis, mlir::Value from);
  Fetching fetchedBySum(norm::PassOp pass, mlir::StringAttr axis, mlir::Value from);
  void fetch(llvm::ArrayRef<Memory> places, mlir::Value first, int64_t points, Fetched as = Fetched::later);
  void fetch(const Fetching &fetching, mlir::Value first, int64_t points);

  // Blocks across the rows of a chunk (LowerAcross.cpp)
  struct RowsOfBlocks {
    norm::PassOp rows;                                          // null where they do not lie so
    llvm::SmallVector<mlir::Operation *> always, before, after; // arithmetic; what stores before the rows and after
  };
  RowsOfBlocks rowsOfBlocksOf(norm::PhaseOp phase);
  bool lowerAcross(norm::PhaseOp phase, mlir::Value first, mlir::Value last,
                   llvm::function_ref<void(mlir::Value)> bind);

  // Blocks side by side (LowerVectorized.cpp)
  void lowerVectorized(norm::PhaseOp phase, mlir::Value first, mlir::Value last);
  mlir::Value blocksTogether(mlir::Block &body, mlir::StringAttr axis);
  mlir::Value strideAlong(mlir::Value planned, mlir::StringAttr axis);
  Memory behind(Memory memory, mlir::Value elements);
  llvm::SmallVector<Memory> slicesAhead(mlir::Block &body, const Lanes &lanes, mlir::Value blocks);
  bool lowerShortRows(norm::PassOp rows, unsigned depth);
  void lowerSideBySide(mlir::Block &body, mlir::StringAttr axis, mlir::Value first, mlir::Value to);
  bool lowerRowsSideBySide(norm::PassOp rows, unsigned depth);
  void sweepSideBySide(norm::PassOp pass);
  Memory sliceOf(mlir::Value planned, mlir::StringAttr lane);
  mlir::Value newArray(mlir::Type element, int64_t count);
  void toArray(mlir::Value vector, mlir::Value array, mlir::Value place);
  mlir::Value fromArray(mlir::Value array, mlir::Type element, mlir::Value place, int64_t lanes = 1);
  int64_t registerLane();
  mlir::Value foldTwo(norm::ReduceKind kind, mlir::Value x, mlir::Value y, int64_t half);
  mlir::Value foldAll(norm::ReduceKind kind, Values vectors, int64_t &half);
  llvm::SmallVector<int64_t> lanesOfFolded();

  // What they store past the caches (LowerStaged.cpp)
  struct StagedOutput {
    mlir::Value planned;
    mlir::Type storage;
    mlir::Value array, slice; // where the first block's slice is; how many elements a slice has
  };
  bool canStage(norm::StoreOp op, mlir::StringAttr lane);
  mlir::Value sliceInStage(const StagedOutput &output, mlir::Value block);
  void lowerStaged(mlir::Block &body, mlir::StringAttr lane,
                   llvm::function_ref<Values(llvm::ArrayRef<StagedOutput>)> sweep);
  void flush(const StagedOutput &output, mlir::Value target, mlir::Value misfit, mlir::StringAttr lane);

  // Passes (LowerPasses.cpp)
  void lowerBody(mlir::Block &body);
  void lowerPass(norm::PassOp pass);

  // Groups of rows, sums without guards (LowerGroups.cpp)
  bool lowerRowGroups(norm::PassOp rows, unsigned depth);
  mlir::Value lowerSums(norm::PassOp pass, const FiniteSums &sums);
  void lowerUnscaled(norm::PassOp pass, mlir::Value power, const llvm::DenseSet<mlir::Operation *> &products);
  Values lowerWithout(const llvm::DenseSet<mlir::Operation *> &guards, norm::PassOp pass);
  Values lowerGuarded(norm::PassOp pass, bool onlySums);
  Values lowerAlong(norm::PassOp pass, unsigned depth, Values carried);
  Values lowerLanes(norm::PassOp pass, Values carried);
  int64_t vectorsOf(norm::PassOp pass);
  Values addToTotals(norm::PassOp pass, Values carried);
  Values addToTotalsIf(mlir::Value condition, norm::PassOp pass, Values carried);
  llvm::SmallVector<norm::LoadOp> loadsAcross(mlir::StringAttr row, mlir::StringAttr lane, mlir::Block &body);
  void lowerRow(mlir::Block &rowBody);
  bool canRunRowsUnderLanes(mlir::StringAttr row, mlir::StringAttr lane, mlir::Block &body);
  bool lowerRowsUnderLanes(norm::PassOp pass, unsigned depth);
  /// Rows of which some were finite, as their flags say: these go without some guards.
  struct RowGuards {
    Memory areFinite;
    const llvm::DenseSet<mlir::Operation *> &guards;
  };
  void lowerRowsUnderLanes(mlir::StringAttr row, mlir::StringAttr lane, mlir::Block *rowBody, mlir::Block &body,
                           const RowGuards *rowGuards = nullptr);
  mlir::Value tailMask(mlir::Value first, mlir::Value to, int64_t lanes);

  // Tiles of what lies the other way round (LowerTiles.cpp)
  Values transpose(Values rows);
  using RowValues = llvm::SmallVector<std::pair<mlir::Value, mlir::Value>>; // plan value, array
  RowValues valuesOfRows(mlir::Block &rowBody, mlir::Block &body, mlir::StringAttr row, mlir::Value from,
                         mlir::Value to);
  /// Of a strip of rows, each with values of its own, those from a place on that are turned over together; to the end
  /// of the strip where that is given, else all of a tile. The count is that of all rows of a strip.
  struct TileRows {
    mlir::StringAttr row;
    mlir::Value first, end, place, count, areFew, isFar;
    const RowValues &values;
  };
  int64_t vectorsOfTile(mlir::Block &body);
  int64_t rowsInWord(llvm::ArrayRef<norm::LoadOp> across);
  Values turnOver(norm::LoadOp load, const TileRows &rows, const Lanes &lanes, mlir::Value to, int64_t perWord);
  mlir::Value aheadOf(norm::LoadOp load, const TileRows &rows, const Lanes &lanes, int64_t perWord);
  void fetchTiles(mlir::Block &body, const TileRows &rows, llvm::ArrayRef<Lanes> steps, int64_t perWord);
  mlir::Value rowOfWords(mlir::Value words, mlir::Value odd, mlir::Type storage);
  void emitRow(mlir::Block &body, const TileRows &rows, llvm::ArrayRef<Lanes> steps, mlir::Value number);
  void emitTile(mlir::Block &body, const TileRows &rows, llvm::ArrayRef<Lanes> steps, mlir::Value to);
  std::pair<mlir::Value, mlir::Value> rowsOfStrip(mlir::StringAttr row, mlir::StringAttr lane, mlir::Block &body,
                                                  mlir::Value stripBytes);
  void lowerTiles(mlir::StringAttr row, mlir::StringAttr lane, mlir::Block *rowBody, mlir::Block &body);

  // The last sweep of a block beside the sums of the next (LowerBeside.cpp)
  struct SumsAndMap {
    norm::PassOp sums, map;                                      // no sums: these do not go side by side
    llvm::SmallVector<mlir::Operation *> before, between, after; // what else a block does
  };
  SumsAndMap sumsAndMapOf(mlir::Block &body);
  bool lowerBeside(mlir::Value first, mlir::Value last, mlir::Block &body, llvm::function_ref<void(mlir::Value)> bind);
  void emitBeside(mlir::StringAttr row, mlir::Value position, llvm::ArrayRef<Lanes> steps);

  // Maps row by row (LowerMaps.cpp)
  struct SharedValues {
    llvm::SmallVector<mlir::Operation *> same; // at a lane in all rows, in order
    // Of those along the lanes: taken by others from arrays; from where they are; by none.
    llvm::SmallVector<mlir::Operation *> taken, there, inner;
    int64_t bytes = 0; // of all that others take of a lane
  };
  mlir::FailureOr<SharedValues> sharedByRows(mlir::StringAttr lane, mlir::Block *rowBody, mlir::Block &body);
  void lowerSharedRows(mlir::StringAttr row, mlir::StringAttr lane, mlir::Block *rowBody, mlir::Block &body);
  bool areEndToEnd(mlir::StringAttr row, mlir::StringAttr lane, mlir::Block *rowBody, mlir::Block &body,
                   const SharedValues &shared);
  mlir::Value rowsInOne(mlir::StringAttr row, mlir::StringAttr lane, int64_t step, int64_t room);
  mlir::Value strideAlongParts(const Memory &memory, mlir::StringAttr axis);
  bool gainsFromPairs(mlir::StringAttr row, mlir::StringAttr lane, mlir::Block &body);
  void lowerRowByRow(mlir::StringAttr row, mlir::StringAttr lane, mlir::Block *rowBody, mlir::Block &body,
                     const SharedValues &shared, bool endToEnd);

  Values ifStreaming(mlir::Value condition, llvm::function_ref<Values()> body);
  llvm::SmallVector<Values> emitPoints(mlir::Block &body, llvm::ArrayRef<Lanes> lanes,
                                       llvm::SmallVector<llvm::DenseMap<mlir::Value, mlir::Value>> own = {});
  mlir::Value indexAlong(mlir::StringAttr axis, const Lanes &lanes);
  mlir::Value alike(mlir::Value value, mlir::Value other);
  mlir::Value multiplyAlong(mlir::Value x, mlir::Value y);
  mlir::Value convert(norm::CastOp op, mlir::Value value);
  mlir::Value emit(mlir::Operation &op, const Lanes &lanes, llvm::function_ref<mlir::Value(mlir::Value)> at);
  static norm::ReduceKind kindOf(norm::PassOp pass, int64_t number);
  mlir::Value combine(norm::ReduceKind kind, mlir::Value a, mlir::Value b);
  mlir::Value accumulate(norm::ReduceKind kind, mlir::Value accumulator, mlir::Value value);
  mlir::Value neutral(norm::ReduceKind kind, mlir::Type type, int64_t width);
  mlir::Value acrossLanes(norm::ReduceKind kind, mlir::Value vector);
  Values loop(mlir::Value from, mlir::Value to, mlir::Value step, mlir::ValueRange init,
              llvm::function_ref<Values(mlir::Value, mlir::ValueRange)> body);

  norm::KernelOp kernel;
  VectorShape shape;
  mlir::ImplicitLocOpBuilder &b;
  int64_t width;                                           // lanes of a vector
  mlir::Block *entry = nullptr;                            // the function's first
  llvm::DenseMap<mlir::StringAttr, mlir::Value> extents;   // of every axis of the table
  llvm::DenseMap<mlir::StringAttr, mlir::Value> lengths;   // of a chunk, by chunk axis
  llvm::DenseMap<mlir::StringAttr, mlir::Value> positions; // of each bound axis but the lanes'
  llvm::DenseMap<mlir::Value, mlir::Value> scalars;        // plan value → scalar
  llvm::DenseMap<mlir::Value, Memory> memories;            // plan value → memory
  llvm::DenseMap<mlir::Operation *, Values> held;          // stores that combine in registers: a vector for each step
  llvm::DenseMap<mlir::Operation *, Values> turned; // loads of the tile at hand: their values at this row, by step
  llvm::DenseMap<mlir::Operation *, Memory> staged; // ops whose values lie in arrays, or are not needed (no base)
  llvm::DenseMap<mlir::StringAttr, std::pair<mlir::Value, mlir::Value>> narrowed; // axes of which a part is at hand
  mlir::StringAttr sample;                                   // the axis of which the pass at hand takes a sample
  const llvm::DenseSet<mlir::Operation *> *voided = nullptr; // guards that are left out
  bool guarding = false, summing = false;                    // what is rare: in little code; without what it stores
  bool streaming = false, streamed = false;
  struct SideBySide {
    Lanes lanes;
    mlir::Value count;
    mlir::Value finite = {};                                   // which of them have finite sums
    const llvm::DenseSet<mlir::Operation *> *guards = nullptr; // that those do without
  };
  SideBySide *abreast = nullptr;                          // the blocks that go side by side; null where one goes alone
  llvm::DenseMap<mlir::Operation *, mlir::Value> columns; // stores that combine rows: their sums, by lane
  llvm::DenseMap<mlir::StringAttr, Run> runs;             // by the axis along them
  llvm::DenseMap<mlir::Value, mlir::Value> padded;        // arguments of which windows are read: where
  mlir::Value unknownZero;                                // a 0 that nothing downstream knows to be one
  mlir::Value alone;                                      // whether one thread runs all blocks
  mlir::Value turnsFit; // whether several blocks fit into the first cache; null where they do not go in turns
  struct {
    mlir::Block *body = nullptr; // null where nothing goes beside
    llvm::DenseMap<mlir::StringAttr, mlir::Value> positions;
    Values planned, values; // scalars of that block
  } beside;
  struct {
    norm::PassOp lead;                                       // null where nothing is to be fetched
    llvm::DenseMap<mlir::StringAttr, mlir::Value> positions; // where it will sweep
  } fetched;
};

} // namespace normc
#endif
