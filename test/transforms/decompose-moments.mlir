// RUN: norm-opt %s --pass-pipeline='builtin.module(norm.kernel(norm-decompose-moments),cse)' | FileCheck %s

!f32_n_k = tensor<?x?xf32, #norm.axes<n, k>>
!f32_n = tensor<?xf32, #norm.axes<n>>
!f32_k = tensor<?xf32, #norm.axes<k>>

// The deviations from the mean are summed too: their mean corrects the mean, where that is finite, and the variance.
// CHECK-LABEL: norm.kernel @two_pass
// CHECK:         %[[SUM:.*]] = norm.reduce sum %[[X:.*]] over [k]
// CHECK:         %[[MEAN:.*]] = arith.divf %[[SUM]], %[[N:.*]] :
// CHECK:         %[[D:.*]] = arith.subf %[[X]], %{{.*}} : !f32_n_k
// CHECK:         %[[RESTS:.*]] = norm.reduce sum %[[D]] over [k]
// CHECK:         %[[REST:.*]] = arith.divf %[[RESTS]], %[[N]]
// CHECK:         %[[D2:.*]] = arith.mulf %[[D]], %[[D]]
// CHECK:         norm.reduce sum %[[D2]] over [k]
// CHECK:         %[[R2:.*]] = arith.mulf %[[REST]], %[[REST]]
// CHECK:         %[[VARIANCE:.*]] = arith.subf %{{.*}}, %[[R2]]
// CHECK:         %[[NONE:.*]] = arith.subf %[[MEAN]], %[[MEAN]]
// CHECK:         %[[FINITE:.*]] = arith.cmpf ord, %[[NONE]], %[[NONE]]
// CHECK:         %[[BOTH:.*]] = arith.addf %[[MEAN]], %[[REST]]
// CHECK:         %[[CORRECTED:.*]] = arith.select %[[FINITE]], %[[BOTH]], %[[MEAN]]
// CHECK:         norm.return %[[CORRECTED]], %[[VARIANCE]]
norm.kernel @two_pass axes(n, k) (%x: !f32_n_k {norm.name = "x"})
    -> (!f32_n {norm.name = "mean"}, !f32_n {norm.name = "variance"}) {
  %m, %v = norm.moments %x over [k] by two_pass : !f32_n_k
  norm.return %m, %v : !f32_n, !f32_n
}

// With a sample, the deviations are from its mean: all points are swept once.
// CHECK-LABEL: norm.kernel @sample
// CHECK:         %[[SUM:.*]] = norm.reduce sum %[[X:.*]] over [k] sample k
// CHECK:         %[[POINTS:.*]] = norm.sampled [k] sample k : i64
// CHECK:         %[[REAL:.*]] = arith.sitofp %[[POINTS]]
// CHECK:         %[[COUNT:.*]] = norm.broadcast %[[REAL]]
// CHECK:         %[[NEAR:.*]] = arith.divf %[[SUM]], %[[COUNT]]
// CHECK:         %[[WIDE:.*]] = norm.broadcast %[[NEAR]]
// CHECK:         %[[D:.*]] = arith.subf %[[X]], %[[WIDE]]
// CHECK:         norm.reduce sum %[[D]] over [k] : !f32_n_k
// CHECK:         %[[D2:.*]] = arith.mulf %[[D]], %[[D]]
// CHECK:         norm.reduce sum %[[D2]] over [k] : !f32_n_k
// CHECK-NOT:     norm.reduce
norm.kernel @sample axes(n, k) (%x: !f32_n_k {norm.name = "x"}) -> (!f32_n {norm.name = "variance"}) {
  %m, %v = norm.moments %x over [k] sample k : !f32_n_k
  norm.return %v : !f32_n
}

// x − mean takes both parts of the mean off, one after the other.
// CHECK-LABEL: norm.kernel @both_parts
// CHECK:         %[[D:.*]] = arith.subf %[[X:.*]], %{{.*}} : !f32_n_k
// CHECK:         %[[Y:.*]] = arith.subf %[[D]], %{{.*}} : !f32_n_k
// CHECK:         norm.return %[[Y]]
norm.kernel @both_parts axes(n, k) (%x: !f32_n_k {norm.name = "x"}) -> (!f32_n_k {norm.name = "y"}) {
  %m, %v = norm.moments %x over [k] : !f32_n_k
  %b = norm.broadcast %m : !f32_n to !f32_n_k
  %y = arith.subf %x, %b : !f32_n_k
  norm.return %y : !f32_n_k
}

// CHECK-LABEL: norm.kernel @one_pass
// CHECK:         norm.reduce sum %[[X:.*]] over [k]
// CHECK-NOT:     arith.subf %[[X]]
// CHECK:         %[[X2:.*]] = arith.mulf %[[X]], %[[X]]
// CHECK:         norm.reduce sum %[[X2]] over [k]
// CHECK-NOT:     norm.reduce
norm.kernel @one_pass axes(n, k) (%x: !f32_n_k {norm.name = "x"})
    -> (!f32_n {norm.name = "mean"}, !f32_n {norm.name = "variance"}) {
  %m, %v = norm.moments %x over [k] by one_pass : !f32_n_k
  norm.return %m, %v : !f32_n, !f32_n
}

// By chunks: three sums over each, three over the chunks.
// CHECK-LABEL: norm.kernel @chunks
// CHECK-COUNT-3: norm.reduce sum %{{.*}} over [k] into [p]
// CHECK-COUNT-3: norm.reduce sum %{{.*}} over [p]
// CHECK-NOT:     norm.reduce
norm.kernel @chunks axes(n, k, p = k by 64) (%x: !f32_n_k {norm.name = "x"})
    -> (!f32_n {norm.name = "mean"}, !f32_n {norm.name = "variance"}) {
  %m, %v = norm.moments %x over [k] through [p] : !f32_n_k
  norm.return %m, %v : !f32_n, !f32_n
}

// Each point of a reduced axis may be such a chunk; the others have as many points in each.
!f32_n_k_s = tensor<?x?x?xf32, #norm.axes<n, k, s>>
// CHECK-LABEL: norm.kernel @rows
// CHECK:         norm.size [s]
// CHECK-COUNT-3: norm.reduce sum %{{.*}} over [s] : !f32_n_k_s
// CHECK-COUNT-3: norm.reduce sum %{{.*}} over [n] : !f32_n_k
// CHECK-NOT:     norm.reduce
norm.kernel @rows axes(n, k, s) (%x: !f32_n_k_s {norm.name = "x"})
    -> (!f32_k {norm.name = "mean"}, !f32_k {norm.name = "variance"}) {
  %m, %v = norm.moments %x over [n, s] through [n] : !f32_n_k_s
  norm.return %m, %v : !f32_k, !f32_k
}

// A part is a chunk of the outer of two axes that are swept as one, by all of the inner one: its points are those of both.
// CHECK-LABEL: norm.kernel @chunks_of_both
// CHECK:         %[[OUTER:.*]] = norm.points [p]
// CHECK:         %[[INNER:.*]] = norm.size [s]
// CHECK:         %[[EACH:.*]] = norm.broadcast %[[INNER]]
// CHECK:         arith.muli %[[OUTER]], %[[EACH]]
// CHECK-COUNT-3: norm.reduce sum %{{.*}} over [k, s] into [p]
// CHECK-COUNT-3: norm.reduce sum %{{.*}} over [p]
norm.kernel @chunks_of_both axes(n, k, s, k_s = k * s, p = k by 64 per [s]) (%x: !f32_n_k_s {norm.name = "x"})
    -> (!f32_n {norm.name = "mean"}, !f32_n {norm.name = "variance"}) attributes {norm.lanes = "k_s"} {
  %m, %v = norm.moments %x over [k, s] through [p] : !f32_n_k_s
  norm.return %m, %v : !f32_n, !f32_n
}

// Across replicas: each one's mean, rest, squares and count, gathered, then three sums over the replicas. A replica without
// points weighs nothing.
// CHECK-LABEL: norm.kernel @across axes(n, k, replica)
// CHECK:         %[[SIZE:.*]] = norm.size [n]
// CHECK:         %[[SUM:.*]] = norm.reduce sum %[[X:.*]] over [n]
// CHECK:         %[[MEAN:.*]] = arith.select %{{.*}}, %[[SUM]], %{{.*}}
// CHECK-COUNT-2: norm.reduce sum %{{.*}} over [n]
// CHECK:         norm.all_gather %{{.*}} over replica : !f32_k to !f32_replica_k
// CHECK:         norm.all_gather %[[MEAN]] over replica
// CHECK:         norm.all_gather %{{.*}} over replica : !f32_k to !f32_replica_k
// CHECK:         %[[SIZES:.*]] = norm.all_gather %[[SIZE]] over replica : i64 to !i64_replica
// CHECK:         norm.reduce sum %[[SIZES]] over [replica] : !i64_replica
// CHECK-COUNT-3: norm.reduce sum %{{.*}} over [replica] : !f32_replica_k
// CHECK-NOT:     norm.reduce
norm.kernel @across axes(n, k) (%x: !f32_n_k {norm.name = "x"})
    -> (!f32_k {norm.name = "mean"}, !f32_k {norm.name = "variance"}) {
  %m, %v = norm.moments %x over [n] across : !f32_n_k
  norm.return %m, %v : !f32_k, !f32_k
}

// Chunks first, then replicas.
// CHECK-LABEL: norm.kernel @chunks_across
// CHECK-COUNT-3: norm.reduce sum %{{.*}} over [k] into [p]
// CHECK-COUNT-3: norm.reduce sum %{{.*}} over [p]
// CHECK-COUNT-4: norm.all_gather
// CHECK-COUNT-4: norm.reduce sum %{{.*}} over [replica]
// CHECK-NOT:     norm.reduce
norm.kernel @chunks_across axes(n, k, p = k by 64) (%x: !f32_n_k {norm.name = "x"})
    -> (!f32_n {norm.name = "mean"}, !f32_n {norm.name = "variance"}) {
  %m, %v = norm.moments %x over [k] through [p] across : !f32_n_k
  norm.return %m, %v : !f32_n, !f32_n
}

// CHECK-LABEL: norm.kernel @one_pass_across
// CHECK-COUNT-3: norm.all_reduce sum
norm.kernel @one_pass_across axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %w: !f32_n_k {norm.name = "w"})
    -> (!f32_n {norm.name = "mean"}, !f32_n {norm.name = "variance"}) {
  %m, %v = norm.moments %x weights %w : !f32_n_k over [k] across by one_pass : !f32_n_k
  norm.return %m, %v : !f32_n, !f32_n
}
