// RUN: norm-opt %s --canonicalize --cse --split-input-file | FileCheck %s

!n = tensor<?xf32, #norm.axes<n>>
!k = tensor<?xf32, #norm.axes<k>>
!nk = tensor<?x?xf32, #norm.axes<n, k>>

// What is constant along an axis is computed without it: rsqrt(variance + eps) once a row.
// CHECK-LABEL: norm.kernel @elementwise_of_broadcasts
// CHECK-DAG:     %[[EPS:.*]] = arith.constant 1.000000e-01 : f32
// CHECK-DAG:     %[[ROW:.*]] = norm.broadcast %[[EPS]] : f32 to !f32_n
// CHECK:         %[[SUM:.*]] = arith.addf %{{.*}}, %[[ROW]] : !f32_n
// CHECK:         %[[RSQRT:.*]] = math.rsqrt %[[SUM]] : !f32_n
// CHECK:         norm.broadcast %[[RSQRT]] : !f32_n to !f32_n_k
norm.kernel @elementwise_of_broadcasts axes(n, k) (%v: !n {norm.name = "v"}) -> (!nk {norm.name = "y"}) {
  %eps = arith.constant 0.1 : f32
  %e = norm.broadcast %eps : f32 to !nk
  %b = norm.broadcast %v : !n to !nk
  %s = arith.addf %b, %e : !nk
  %r = math.rsqrt %s : !nk
  norm.return %r : !nk
}

// -----

!n = tensor<?xf32, #norm.axes<n>>
!k = tensor<?xf32, #norm.axes<k>>
!nk = tensor<?x?xf32, #norm.axes<n, k>>
!nks = tensor<?x?x?xf32, #norm.axes<n, k, s>>

// Two operands over different axes meet over both, and over no more.
// CHECK-LABEL: norm.kernel @union_of_axes
// CHECK-DAG:     %[[A:.*]] = norm.broadcast %{{.*}} : !f32_n to !f32_n_k
// CHECK-DAG:     %[[B:.*]] = norm.broadcast %{{.*}} : !f32_k to !f32_n_k
// CHECK:         %[[P:.*]] = arith.mulf %[[A]], %[[B]] : !f32_n_k
// CHECK:         norm.broadcast %[[P]] : !f32_n_k to !f32_n_k_s
norm.kernel @union_of_axes axes(n, k, s) (%v: !n {norm.name = "v"}, %w: !k {norm.name = "w"})
    -> (!nks {norm.name = "y"}) {
  %a = norm.broadcast %v : !n to !nks
  %b = norm.broadcast %w : !k to !nks
  %y = arith.mulf %a, %b : !nks
  norm.return %y : !nks
}

// -----

!nk = tensor<?x?xf32, #norm.axes<n, k>>

// x * 1, 1 * x, x - 0 and x / 1 are x; x + 0 is not, since −0 + 0 is +0.
// CHECK-LABEL: norm.kernel @units
// CHECK:         %[[ZERO:.*]] = arith.constant 0.0
// CHECK-NEXT:    %[[ZEROS:.*]] = norm.broadcast %[[ZERO]]
// CHECK-NEXT:    %[[SUM:.*]] = arith.addf %{{.*}}, %[[ZEROS]] : !f32_n_k
// CHECK-NEXT:    norm.return %[[SUM]]
norm.kernel @units axes(n, k) (%x: !nk {norm.name = "x"}) -> (!nk {norm.name = "y"}) {
  %one = arith.constant 1.0 : f32
  %zero = arith.constant 0.0 : f32
  %ones = norm.broadcast %one : f32 to !nk
  %zeros = norm.broadcast %zero : f32 to !nk
  %a = arith.mulf %x, %ones : !nk
  %b = arith.mulf %ones, %a : !nk
  %c = arith.subf %b, %zeros : !nk
  %d = arith.divf %c, %ones : !nk
  %e = arith.addf %d, %zeros : !nk
  norm.return %e : !nk
}

// -----

!nk = tensor<?x?xf32, #norm.axes<n, k>>
!b = tensor<?x?xi1, #norm.axes<n, k>>

// A condition that is known leaves one branch.
// CHECK-LABEL: norm.kernel @select_true
// CHECK-NEXT:    norm.return %arg0
norm.kernel @select_true axes(n, k) (%x: !nk {norm.name = "x"}, %z: !nk {norm.name = "z"}) -> (!nk {norm.name = "y"}) {
  %two = arith.constant 2 : i64
  %three = arith.constant 3 : i64
  %less = arith.cmpi slt, %two, %three : i64
  %c = norm.broadcast %less : i1 to !b
  %e = math.exp %z : !nk
  %y = arith.select %c, %x, %e : !b, !nk
  norm.return %y : !nk
}

// -----

!n = tensor<?xf32, #norm.axes<n>>
!nk = tensor<?x?xf32, #norm.axes<n, k>>
!nks = tensor<?x?x?xf32, #norm.axes<n, k, s>>

// CHECK-LABEL: norm.kernel @broadcast_of_broadcast
// CHECK-NEXT:    %[[B:.*]] = norm.broadcast %arg0 : !f32_n to !f32_n_k_s
// CHECK-NEXT:    norm.return %[[B]]
norm.kernel @broadcast_of_broadcast axes(n, k, s) (%x: !n {norm.name = "x"}) -> (!nks {norm.name = "y"}) {
  %a = norm.broadcast %x : !n to !nk
  %b = norm.broadcast %a : !nk to !nks
  %c = norm.broadcast %b : !nks to !nks
  norm.return %c : !nks
}

// -----

!f = tensor<?xf32, #norm.axes<n>>
!h = tensor<?xbf16, #norm.axes<n>>
!i = tensor<?xi8, #norm.axes<n>>
!l = tensor<?xi64, #norm.axes<n>>

// A value that was loaded from a type is as a store to that type would leave it.
// CHECK-LABEL: norm.kernel @cast_of_loaded
// CHECK-NEXT:    %[[F:.*]] = norm.cast %arg0 : !bf16_n to !f32_n
// CHECK-NEXT:    %[[L:.*]] = norm.cast %arg1 : !i8_n to !i64_n
// CHECK-NEXT:    norm.return %[[F]], %[[L]]
norm.kernel @cast_of_loaded axes(n) (%x: !h {norm.name = "x"}, %i: !i {norm.name = "i"})
    -> (!f {norm.name = "y"}, !l {norm.name = "j"}) {
  %a = norm.cast %x : !h to !f
  %b = norm.cast %a : !f to !h
  %c = norm.cast %b : !h to !f
  %d = norm.cast %i : !i to !l
  %e = norm.cast %d : !l to !i
  %f = norm.cast %e : !i to !l
  norm.return %c, %f : !f, !l
}

// -----

!f = tensor<?xf32, #norm.axes<n>>
!h = tensor<?xbf16, #norm.axes<n>>

// A cast that rounds stays.
// CHECK-LABEL: norm.kernel @cast_that_rounds
// CHECK-NEXT:    %[[H:.*]] = norm.cast %arg0 : !f32_n to !bf16_n
// CHECK-NEXT:    %[[F:.*]] = norm.cast %[[H]] : !bf16_n to !f32_n
// CHECK-NEXT:    norm.return %[[F]]
norm.kernel @cast_that_rounds axes(n) (%x: !f {norm.name = "x"}) -> (!f {norm.name = "y"}) {
  %a = norm.cast %x : !f to !h
  %b = norm.cast %a : !h to !f
  %c = norm.cast %b : !f to !f
  norm.return %c : !f
}

// -----

!n = tensor<?xf32, #norm.axes<n>>
!nk = tensor<?x?xf32, #norm.axes<n, k>>

// CHECK-LABEL: norm.kernel @unit_weights
// CHECK-NEXT:    norm.moments %arg0 over [k] : !f32_n_k
norm.kernel @unit_weights axes(n, k) (%x: !nk {norm.name = "x"}) -> (!n {norm.name = "y"}) {
  %one = arith.constant 1.0 : f32
  %w = norm.broadcast %one : f32 to !nk
  %mean, %variance = norm.moments %x weights %w : !nk over [k] : !nk
  %y = arith.addf %mean, %variance : !n
  norm.return %y : !n
}

// -----

!n = tensor<?xf32, #norm.axes<n>>
!nk = tensor<?x?xf32, #norm.axes<n, k>>

// Weights that are the same at all points of a row are no weights: but mean · w / w, NaN where w is 0.
// CHECK-LABEL: norm.kernel @uniform_weights
// CHECK:         %[[MEAN:.*]], %[[VARIANCE:.*]] = norm.moments %arg0 over [k] : !f32_n_k
// CHECK:         %[[ONE:.*]] = arith.divf %arg1, %arg1 : !f32_n
// CHECK:         arith.mulf %[[VARIANCE]], %[[ONE]] : !f32_n
norm.kernel @uniform_weights axes(n, k) (%x: !nk {norm.name = "x"}, %v: !n {norm.name = "v"}) -> (!n {norm.name = "y"}) {
  %w = norm.broadcast %v : !n to !nk
  %mean, %variance = norm.moments %x weights %w : !nk over [k] : !nk
  norm.return %variance : !n
}

// -----

!n = tensor<?xf32, #norm.axes<n>>
!k = tensor<?xf32, #norm.axes<k>>
!nk = tensor<?x?xf32, #norm.axes<n, k>>

// Weights that vary along a reduced axis stay.
// CHECK-LABEL: norm.kernel @weights
// CHECK:         norm.moments %arg0 weights %{{.*}} : !f32_n_k over [n, k] : !f32_n_k
norm.kernel @weights axes(n, k) (%x: !nk {norm.name = "x"}, %v: !k {norm.name = "v"}) -> (f32 {norm.name = "y"}) {
  %w = norm.broadcast %v : !k to !nk
  %mean, %variance = norm.moments %x weights %w : !nk over [n, k] : !nk
  norm.return %mean : f32
}

// -----

!n = tensor<?xf32, #norm.axes<n>>
!nk = tensor<?x?xf32, #norm.axes<n, k>>

// The sum of unit weights is the number of points, a constant where the table fixes it.
// CHECK-LABEL: norm.kernel @sum_of_constant
// CHECK-DAG:     %[[SIX:.*]] = arith.constant 6.000000e+00 : f32
// CHECK-DAG:     %[[TWO:.*]] = arith.constant 2.000000e+00 : f32
// CHECK-DAG:     norm.broadcast %[[SIX]] : f32 to !f32_n
// CHECK-DAG:     %[[SIZE:.*]] = norm.size [n]
// CHECK-DAG:     %[[REAL:.*]] = arith.sitofp %[[SIZE]] : i64 to f32
// CHECK-DAG:     arith.mulf %[[REAL]], %[[TWO]] : f32
norm.kernel @sum_of_constant axes(n, k = 3) (%x: !nk {norm.name = "x"})
    -> (!n {norm.name = "y"}, tensor<?xf32, #norm.axes<k>> {norm.name = "z"}) {
  %two = arith.constant 2.0 : f32
  %w = norm.broadcast %two : f32 to !nk
  %y = norm.reduce sum %w over [k] : !nk
  %z = norm.reduce sum %w over [n] : !nk
  norm.return %y, %z : !n, tensor<?xf32, #norm.axes<k>>
}

// -----

!n = tensor<?xf32, #norm.axes<n>>
!nk = tensor<?x?xf32, #norm.axes<n, k>>

// The sum of 0 is 0 over any number of points.
// CHECK-LABEL: norm.kernel @sum_of_zero
// CHECK-NEXT:    %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:    norm.broadcast %[[ZERO]] : f32 to !f32_n
norm.kernel @sum_of_zero axes(n, k) () -> (!n {norm.name = "y"}) {
  %zero = arith.constant -0.0 : f32
  %w = norm.broadcast %zero : f32 to !nk
  %y = norm.reduce sum %w over [k] : !nk
  norm.return %y : !n
}

// -----

!n = tensor<?xf32, #norm.axes<n>>
!nk = tensor<?x?xf32, #norm.axes<n, k>>

// Over no points the sum of infinity is 0, not infinity times 0; and a maximum is −infinity.
// CHECK-LABEL: norm.kernel @reduce_of_uniform
// CHECK-DAG:     %[[ZERO:.*]] = arith.constant 0 : i64
// CHECK-DAG:     %[[LEAST:.*]] = arith.constant 0xFF800000 : f32
// CHECK:         %[[SIZE:.*]] = norm.size [k]
// CHECK:         %[[SOME:.*]] = arith.cmpi sgt, %[[SIZE]], %[[ZERO]] : i64
// CHECK:         %[[REAL:.*]] = arith.sitofp %[[SIZE]] : i64 to f32
// CHECK:         %[[PRODUCT:.*]] = arith.mulf %arg0, %[[REAL]] : f32
// CHECK:         arith.select %[[SOME]], %[[PRODUCT]], %{{.*}} : f32
// CHECK:         arith.select %[[SOME]], %arg0, %[[LEAST]] : f32
// CHECK-NOT:     norm.reduce
norm.kernel @reduce_of_uniform axes(n, k) (%x: f32 {norm.name = "x"})
    -> (!n {norm.name = "y"}, !n {norm.name = "z"}) {
  %v = norm.broadcast %x : f32 to !nk
  %y = norm.reduce sum %v over [k] : !nk
  %z = norm.reduce max %v over [k] : !nk
  norm.return %y, %z : !n, !n
}

// -----

!n = tensor<?xf32, #norm.axes<n>>
!nt = tensor<?x?xf32, #norm.axes<n, t>>
!nc = tensor<?x?xf32, #norm.axes<n, c>>
!ntc = tensor<?x?x?xf32, #norm.axes<n, t, c>>

// The weights of a padded batch are the same for all channels: they are summed once a sample, and so often as there are
// reduced channels. A sum of all weights stays where the others are.
// CHECK-LABEL: norm.kernel @reduce_of_broadcast
// CHECK:         %[[WIDE:.*]] = norm.broadcast %arg0
// CHECK:         %[[SUM:.*]] = norm.reduce sum %arg0 over [t] : !f32_n_t
// CHECK:         %[[Y:.*]] = norm.broadcast %[[SUM]] : !f32_n to !f32_n_c
// CHECK:         %[[SIZE:.*]] = norm.size [c]
// CHECK:         %[[REAL:.*]] = arith.sitofp %[[SIZE]]
// CHECK:         %[[TIMES:.*]] = norm.broadcast %[[REAL]] : f32 to !f32_n
// CHECK:         %[[PRODUCT:.*]] = arith.mulf %[[SUM]], %[[TIMES]] : !f32_n
// CHECK:         %[[Z:.*]] = arith.select %{{.*}}, %[[PRODUCT]]
// CHECK:         %[[ALL:.*]] = norm.reduce sum %[[WIDE]] over [n, t] : !f32_n_t_c
// CHECK:         norm.return %[[Y]], %[[Z]], %[[ALL]]
norm.kernel @reduce_of_broadcast axes(n, t, c) (%w: !nt {norm.name = "w"})
    -> (!nc {norm.name = "y"}, !n {norm.name = "z"}, tensor<?xf32, #norm.axes<c>> {norm.name = "all"}) {
  %v = norm.broadcast %w : !nt to !ntc
  %y = norm.reduce sum %v over [t] : !ntc
  %z = norm.reduce sum %v over [t, c] : !ntc
  %all = norm.reduce sum %v over [n, t] : !ntc
  norm.return %y, %z, %all : !nc, !n, tensor<?xf32, #norm.axes<c>>
}

// -----

!i = tensor<?xi64, #norm.axes<n>>

// CHECK-LABEL: norm.kernel @sizes
// CHECK-DAG:     arith.constant 12 : i64
// CHECK-DAG:     arith.constant 0 : i64
// CHECK-DAG:     norm.size [n, g]
// CHECK-NOT:     norm.size
norm.kernel @sizes axes(n, g = 3, k = 4, c = g * k, z = 0) ()
    -> (i64 {norm.name = "a"}, i64 {norm.name = "b"}, i64 {norm.name = "d"}) {
  %a = norm.size [c]
  %b = norm.size [n, z]
  %d = norm.size [n, g]
  norm.return %a, %b, %d : i64, i64, i64
}

// -----

!b = tensor<?x?xi1, #norm.axes<n, k>>
!i = tensor<?x?xi64, #norm.axes<n, k>>

// Upstream's folds of equal operands leave no constant tensor, whose extents nobody knows.
// CHECK-LABEL: norm.kernel @equal_operands
// CHECK-DAG:     %[[FALSE:.*]] = arith.constant false
// CHECK-DAG:     %[[TRUE:.*]] = arith.constant true
// CHECK-DAG:     %[[A:.*]] = norm.broadcast %[[FALSE]] : i1 to !i1_n_k
// CHECK-DAG:     %[[B:.*]] = norm.broadcast %[[TRUE]] : i1 to !i1_n_k
// CHECK:         norm.return %[[A]], %[[B]], %{{.*}}
norm.kernel @equal_operands axes(n, k) (%x: !b {norm.name = "x"}, %i: !i {norm.name = "i"})
    -> (!b {norm.name = "a"}, !b {norm.name = "b"}, !i {norm.name = "c"}) {
  %a = arith.xori %x, %x : !b
  %b = arith.cmpi eq, %i, %i : !i
  %c = arith.subi %i, %i : !i
  norm.return %a, %b, %c : !b, !b, !i
}

// -----

!b = tensor<?x?xi1, #norm.axes<n, k>>
!i = tensor<?x?xi64, #norm.axes<n, k>>

// An op that upstream changes in place: the constant goes to the right.
// CHECK-LABEL: norm.kernel @fold_in_place
// CHECK:         arith.cmpi sgt, %arg0, %{{.*}} : !i64_n_k
norm.kernel @fold_in_place axes(n, k) (%i: !i {norm.name = "i"}) -> (!b {norm.name = "a"}) {
  %zero = arith.constant 0 : i64
  %z = norm.broadcast %zero : i64 to !i
  %a = arith.cmpi slt, %z, %i : !i
  norm.return %a : !b
}

// -----

!n = tensor<?xf32, #norm.axes<n>>
!h = tensor<?xf8E4M3FN, #norm.axes<n>>

// What is returned is converted where it is stored.
// CHECK-LABEL: norm.kernel @cast_of_constant
// CHECK:         %[[B:.*]] = norm.broadcast %arg0 : f32 to !f32_n
// CHECK:         %[[C:.*]] = norm.cast %[[B]] : !f32_n to !f8E4M3FN_n
// CHECK:         norm.return %[[C]]
norm.kernel @cast_of_constant axes(n) (%x: f32 {norm.name = "x"}) -> (!h {norm.name = "y"}) {
  %b = norm.broadcast %x : f32 to !n
  %c = norm.cast %b : !n to !h
  norm.return %c : !h
}
