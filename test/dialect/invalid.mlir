// RUN: norm-opt %s --split-input-file --verify-diagnostics
// One case a message; the label is that of the constraint in the op's description.

// axes_c1
// expected-error @+1 {{names 2 axes for 1 dimensions}}
!x = tensor<?xf32, #norm.axes<n, k>>

// -----

// axes_c2
// expected-error @+1 {{has an extent in a type: extents stand in the kernel's table of axes}}
!x = tensor<?x4xf32, #norm.axes<n, k>>

// -----

// axes_c3
// expected-error @+1 {{names axis "n" twice}}
!x = tensor<?x?xf32, #norm.axes<n, n>>

// -----

// expected-error @+1 {{an extent cannot be negative}}
norm.kernel @f axes(n = -1) () { norm.return }

// -----

// expected-error @+1 {{a chunk has at least one point}}
norm.kernel @f axes(n, p = n by 0) () { norm.return }

// -----

// expected-error @+1 {{expected 'by' or '*'}}
norm.kernel @f axes(n, p = n over 3) () { norm.return }

// -----

// kernel_c1
// expected-error @+1 {{declares axis "n" twice}}
norm.kernel @f axes(n, n) () { norm.return }

// -----

// kernel_c2
// expected-error @+1 {{axis "c" is made of "k", which is not declared before it}}
norm.kernel @f axes(g, c = g * k, k) () { norm.return }

// -----

// kernel_c2
// expected-error @+1 {{axis "p" is made of "n", which is not declared before it}}
norm.kernel @f axes(p = n by 16) () { norm.return }

// -----

// kernel_c2
// expected-error @+1 {{axis "p" is made of "s", which is not declared before it}}
norm.kernel @f axes(n, p = n by 16 per [s]) () { norm.return }

// -----

// kernel_c3
// expected-error @+1 {{ranges over axis "k", which is not declared}}
norm.kernel @f axes(n) (%x: tensor<?xf32, #norm.axes<k>> {norm.name = "x"}) { norm.return }

// -----

// kernel_c3
// expected-error @+1 {{has values over "c" and over "k", which is a part of it}}
norm.kernel @f axes(g, k, c = g * k)
    (%x: tensor<?xf32, #norm.axes<c>> {norm.name = "x"}, %y: tensor<?xf32, #norm.axes<k>> {norm.name = "y"}) {
  norm.return
}

// -----

// kernel_c3
norm.kernel @f axes(n) (%x: f32 {norm.name = "x"}) {
  // expected-error @+1 {{ranges over axis "k", which is not declared}}
  %y = norm.broadcast %x : f32 to tensor<?xf32, #norm.axes<k>>
  norm.return
}

// -----

// kernel_c4
// expected-error @+1 {{argument 0 has no norm.name}}
norm.kernel @f axes(n) (%x: f32) { norm.return }

// -----

// kernel_c4
// expected-error @+1 {{result 0 has no norm.name}}
norm.kernel @f axes(n) (%x: f32 {norm.name = "x"}) -> f32 { norm.return %x : f32 }

// -----

// return_c1
norm.kernel @f axes(n) (%x: f32 {norm.name = "x"}) -> (f64 {norm.name = "y"}) {
  // expected-error @+1 {{gives 'f32', but the kernel's results are 'f64'}}
  norm.return %x : f32
}

// -----

// factor_c1
norm.kernel @f axes(g, k, c = g * k, n) (%x: i64 {norm.name = "x"}) {
  // expected-error @+1 {{"c" is not a product with factor "n"}}
  norm.factor n = %x of c
  norm.return
}

// -----

// broadcast_c1
norm.kernel @f axes(n) (%x: f32 {norm.name = "x"}) {
  // expected-error @+1 {{changes the element type from 'f32' to 'f64'}}
  %y = norm.broadcast %x : f32 to tensor<?xf64, #norm.axes<n>>
  norm.return
}

// -----

// broadcast_c2
norm.kernel @f axes(n, k) (%x: tensor<?xf32, #norm.axes<n>> {norm.name = "x"}) {
  // expected-error @+1 {{drops axis "n"}}
  %y = norm.broadcast %x : tensor<?xf32, #norm.axes<n>> to tensor<?xf32, #norm.axes<k>>
  norm.return
}

// -----

!n = tensor<?xf32, #norm.axes<n>>
// reduce_c1
norm.kernel @f axes(n, k) (%x: !n {norm.name = "x"}) {
  // expected-error @+1 {{reduces over "k", which the value does not range over}}
  %y = norm.reduce sum %x over [k] : !n
  norm.return
}

// -----

!n = tensor<?xf32, #norm.axes<n>>
// reduce_c2
norm.kernel @f axes(n) (%x: !n {norm.name = "x"}) {
  // expected-error @+1 {{any takes i1, not 'f32'}}
  %y = norm.reduce any %x over [n] : !n
  norm.return
}

// -----

!n = tensor<?xi64, #norm.axes<n>>
// reduce_c2
norm.kernel @f axes(n) (%x: !n {norm.name = "x"}) {
  // expected-error @+1 {{max takes a float, not 'i64'}}
  %y = norm.reduce max %x over [n] : !n
  norm.return
}

// -----

!n = tensor<?xi1, #norm.axes<n>>
// reduce_c2
norm.kernel @f axes(n) (%x: !n {norm.name = "x"}) {
  // expected-error @+1 {{sum takes a float or i64, not 'i1'}}
  %y = norm.reduce sum %x over [n] : !n
  norm.return
}

// -----

// all_reduce_c1
norm.kernel @f axes(n) (%x: i1 {norm.name = "x"}) {
  // expected-error @+1 {{any does not run across replicas}}
  %y = norm.all_reduce any %x : i1
  norm.return
}

// -----

// all_reduce_c1
norm.kernel @f axes(n) (%x: i64 {norm.name = "x"}) {
  // expected-error @+1 {{max takes a float, not 'i64'}}
  %y = norm.all_reduce max %x : i64
  norm.return
}

// -----

!r = tensor<?xf32, #norm.axes<r>>
// all_gather_c1
norm.kernel @f axes(n, r = n by 4) (%x: f32 {norm.name = "x"}) {
  // expected-error @+1 {{gathers over "r", which is no leaf of the table}}
  %y = norm.all_gather %x over r : f32 to tensor<?xf32, #norm.axes<r>>
  norm.return
}

// -----

!n = tensor<?xf32, #norm.axes<n>>
!n_r = tensor<?x?xf32, #norm.axes<n, r>>
// all_gather_c2
norm.kernel @f axes(n, r) (%x: !n {norm.name = "x"}) {
  // expected-error @+1 {{which is not the same over an axis of replicas}}
  %y = norm.all_gather %x over r : !n to !n_r
  norm.return
}

// -----

!r = tensor<?xf32, #norm.axes<r>>
// all_gather_c2
norm.kernel @f axes(n, r) (%x: f32 {norm.name = "x"}) {
  // expected-error @+1 {{gathers over "n", but the result ranges over "r" first}}
  %y = norm.all_gather %x over n : f32 to !r
  norm.return
}

// -----

!n = tensor<?xf32, #norm.axes<n>>
// reduce_c3
norm.kernel @f axes(n) (%x: !n {norm.name = "x"}) {
  // expected-error @+1 {{reduces over "n" twice}}
  %y = norm.reduce sum %x over [n, n] : !n
  norm.return
}

// -----

!n = tensor<?xf32, #norm.axes<n>>
norm.kernel @f axes(n, k, p = k by 8) (%x: !n {norm.name = "x"}) {
  // expected-error @+1 {{"p" does not name the chunks of a reduced axis}}
  %y = norm.reduce sum %x over [n] into [p] : !n
  norm.return
}

// -----

!n = tensor<?xf32, #norm.axes<n>>
// moments_c1
norm.kernel @f axes(n, k) (%x: !n {norm.name = "x"}) {
  // expected-error @+1 {{reduces over "k", which the value does not range over}}
  %m, %v = norm.moments %x over [k] : !n
  norm.return
}

// -----

!n = tensor<?xf32, #norm.axes<n>>
!nk = tensor<?x?xf32, #norm.axes<n, k>>
// moments_c2
norm.kernel @f axes(n, k) (%x: !nk {norm.name = "x"}, %w: !n {norm.name = "w"}) {
  // expected-error-re @+1 {{weights are {{.*}}<n>>', but the value is {{.*}}<n, k>>'}}
  %m, %v = norm.moments %x weights %w : !n over [k] : !nk
  norm.return
}

// -----

!n = tensor<?xf32, #norm.axes<n>>
// moments_c3
norm.kernel @f axes(n) (%x: !n {norm.name = "x"}) {
  // expected-error @+1 {{reduces over "n" twice}}
  %m, %v = norm.moments %x over [n, n] : !n
  norm.return
}

// -----

!n = tensor<?xi64, #norm.axes<n>>
// moments_c4
norm.kernel @f axes(n) (%x: !n {norm.name = "x"}) {
  // expected-error @+1 {{takes a float, not 'i64'}}
  %m, %v = norm.moments %x over [n] : !n
  norm.return
}

// -----

!n = tensor<?xf32, #norm.axes<n>>
// moments_c5
norm.kernel @f axes(n, k, p = k by 8) (%x: !n {norm.name = "x"}) {
  // expected-error @+1 {{"p" does not name the chunks of a reduced axis}}
  %m, %v = norm.moments %x over [n] through [p] : !n
  norm.return
}

// -----

!n = tensor<?xf32, #norm.axes<n>>
// moments_c6
norm.kernel @f axes(n, k) (%x: !n {norm.name = "x"}) {
  // expected-error @+1 {{takes a sample along "k", which is none of its axes}}
  %m, %v = norm.moments %x over [n] sample k : !n
  norm.return
}

// -----

!n = tensor<?xf32, #norm.axes<n>>
// reduce_c4
norm.kernel @f axes(n, k) (%x: !n {norm.name = "x"}) {
  // expected-error @+1 {{takes a sample along "k", which is none of its axes}}
  %y = norm.reduce sum %x over [n] sample k : !n
  norm.return
}

// -----

// sampled_c1
norm.kernel @f axes(n) () {
  // expected-error @+1 {{names axis "k", which is not declared}}
  %y = norm.sampled [n, k] sample n : i64
  norm.return
}

// -----

// sampled_c2
norm.kernel @f axes(n, k, p = k by 8) () {
  // expected-error @+1 {{"p" does not name the chunks of a reduced axis}}
  %y = norm.sampled [n] sample n into [p] : i64
  norm.return
}

// -----

// sampled_c3
norm.kernel @f axes(n, k) () {
  // expected-error @+1 {{takes a sample along "k", which is none of its axes}}
  %y = norm.sampled [n] sample k : i64
  norm.return
}

// -----

!n = tensor<?xf32, #norm.axes<n>>
// pass_c4
norm.kernel @f axes(n, k) (%x: !n {norm.name = "x"}) {
  norm.phase [] {
    // expected-error @+1 {{takes a sample along "k", which is none of its axes}}
    %s = norm.pass [n] sample k (sum) {
      %a = norm.load %x : !n to f32
      norm.yield %a : f32
    }
  }
  norm.return
}

// -----

// size_c1
norm.kernel @f axes(n) () {
  // expected-error @+1 {{names axis "k", which is not declared}}
  %y = norm.size [n, k]
  norm.return
}

// -----

// points_c1
norm.kernel @f axes(n, p = n by 8) () {
  // expected-error @+1 {{"n" does not name chunks}}
  %y = norm.points [n] : i64
  norm.return
}

// -----

// index_c1
norm.kernel @f axes(n) () {
  // expected-error @+1 {{names axis "k", which is not declared}}
  %y = norm.index k : tensor<?xi64, #norm.axes<n>>
  norm.return
}

// -----

// index_c2
norm.kernel @f axes(n) () {
  // expected-error-re @+1 {{gives 'i64', expected {{.*}}#norm.axes<n>>'}}
  %y = norm.index n : i64
  norm.return
}

// -----

// at_c1
norm.kernel @f axes(n, k) (%x: tensor<?xf32, #norm.axes<n>> {norm.name = "x"}, %i: i64 {norm.name = "i"}) {
  // expected-error @+1 {{the value does not range over "k"}}
  %y = norm.at %x, k = %i : tensor<?xf32, #norm.axes<n>> to f32
  norm.return
}

// -----

// at_c1
norm.kernel @f axes(g, k, c = g * k) (%x: tensor<?xf32, #norm.axes<g>> {norm.name = "x"}, %i: i64 {norm.name = "i"}) {
  // expected-error @+1 {{the value does not range over "k"}}
  %y = norm.at %x, c = %i : tensor<?xf32, #norm.axes<g>> to f32
  norm.return
}

// -----

// at_c2
norm.kernel @f axes(n, k) (%x: tensor<?x?xf32, #norm.axes<n, k>> {norm.name = "x"}, %i: i64 {norm.name = "i"}) {
  // expected-error-re @+1 {{gives 'f32' where {{.*}}#norm.axes<n>>' is left}}
  %y = norm.at %x, k = %i : tensor<?x?xf32, #norm.axes<n, k>> to f32
  norm.return
}

// -----

// cast_c1
norm.kernel @f axes(n, k) (%x: tensor<?xf32, #norm.axes<n>> {norm.name = "x"}) {
  // expected-error-re @+1 {{changes the axes of {{.*}}<n>>' to those of {{.*}}<k>>'}}
  %y = norm.cast %x : tensor<?xf32, #norm.axes<n>> to tensor<?xbf16, #norm.axes<k>>
  norm.return
}

// -----

// phase_c1
norm.kernel @f axes(n) () {
  // expected-error @+1 {{sweeps over "k", which is not declared}}
  norm.phase [k] {}
  norm.return
}

// -----

// phase_c1
norm.kernel @f axes(g, k, c = g * k) () {
  // expected-error @+1 {{binds "g", which is bound already}}
  norm.phase [c, g] {}
  norm.return
}

// -----

// pass_c1
norm.kernel @f axes(n) () {
  norm.phase [n] {
    // expected-error @+1 {{binds "n", which is bound already}}
    norm.pass [n] {}
  }
  norm.return
}

// -----

// pass_c2
norm.kernel @f axes(n) () {
  norm.phase [] {
    // expected-error @+1 {{yields 1 values for 2 reductions}}
    %s = norm.pass [n] (sum, max) {
      %a = arith.constant 1.0 : f32
      norm.yield %a : f32
    }
  }
  norm.return
}

// -----

// pass_c3
norm.kernel @f axes(n) () {
  norm.phase [] {
    // expected-error @+1 {{all takes i1, not 'f32'}}
    %s = norm.pass [n] (all) {
      %a = arith.constant 1.0 : f32
      norm.yield %a : f32
    }
  }
  norm.return
}

// -----

// pass_c3
norm.kernel @f axes(n) () {
  norm.phase [] {
    // expected-error @+1 {{max takes a float, not 'i64'}}
    %s = norm.pass [n] (max) {
      %a = arith.constant 1 : i64
      norm.yield %a : i64
    }
  }
  norm.return
}

// -----

norm.kernel @f axes(n) () {
  norm.phase [] {
    // expected-error @+1 {{expected sum, max, min, any or all}}
    norm.pass [n] (product) {}
  }
  norm.return
}

// -----

// load_c1
norm.kernel @f axes(n, k) (%x: tensor<?x?xf32, #norm.axes<n, k>> {norm.name = "x"}) {
  norm.phase [n] {
    // expected-error @+1 {{needs a point of axis "k", which no phase or pass around it binds}}
    %a = norm.load %x : tensor<?x?xf32, #norm.axes<n, k>> to f32
  }
  norm.return
}

// -----

// store_c1
norm.kernel @f axes(n, k) (%x: tensor<?x?xf32, #norm.axes<n, k>> {norm.name = "x", norm.out}) {
  norm.phase [n] {
    %a = arith.constant 1.0 : f32
    // expected-error @+1 {{needs a point of axis "k", which no phase or pass around it binds}}
    norm.store %a to %x : f32 to tensor<?x?xf32, #norm.axes<n, k>>
  }
  norm.return
}

// -----

// store_c2
norm.kernel @f axes(n, k) (%x: tensor<?xf32, #norm.axes<k>> {norm.name = "x", norm.out}) {
  norm.phase [n] {
    norm.pass [k] {
      %a = arith.constant 1.0 : f32
      // expected-error @+1 {{writes the same place from every block of "n"}}
      norm.store %a to %x : f32 to tensor<?xf32, #norm.axes<k>>
    }
  }
  norm.return
}

// -----

// store_c3
norm.kernel @f axes(n) (%x: tensor<?xf32, #norm.axes<n>> {norm.name = "x", norm.out}) {
  norm.phase [n] {
    %a = arith.constant 1.0 : f32
    // expected-error @+1 {{combines into memory that is not workspace}}
    norm.store sum %a to %x : f32 to tensor<?xf32, #norm.axes<n>>
  }
  norm.return
}

// -----

!f32_n = tensor<?xf32, #norm.axes<n>>
!f32_r_n = tensor<?x?xf32, #norm.axes<r, n>>
// exchange_c1
norm.kernel @f axes(n, r) (%x: !f32_n {norm.name = "x"}) {
  %all = norm.workspace : !f32_r_n
  // expected-error @+1 {{exchanges memory that is not workspace}}
  norm.exchange %x to %all : !f32_n to !f32_r_n
  norm.return
}

// -----

!f32_n = tensor<?xf32, #norm.axes<n>>
!i64_r_n = tensor<?x?xi64, #norm.axes<r, n>>
// exchange_c1, exchange_c2
norm.kernel @f axes(n, r) () {
  %mine = norm.workspace : !f32_n
  %all = norm.workspace : !i64_r_n
  // expected-error @+1 {{which is not the same over an axis of replicas}}
  norm.exchange %mine to %all : !f32_n to !i64_r_n
  norm.return
}
