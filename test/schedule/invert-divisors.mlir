// RUN: norm-opt --norm-invert-divisors %s | FileCheck %s --enable-var-scope

!f32_n = tensor<?xf32, #norm.axes<n>>
!f32_n_k = tensor<?x?xf32, #norm.axes<n, k>>

// A divisor of which nothing is known: its inverse may not be normal, so a power of 2 goes first.
// CHECK-LABEL: norm.kernel @any_divisor
// CHECK:         %[[S:.*]] = norm.load %arg1
// CHECK:         arith.select
// CHECK:         %[[POWER:.*]] = arith.select
// CHECK:         %[[SCALED:.*]] = arith.mulf %[[S]], %[[POWER]]
// CHECK:         %[[INVERSE:.*]] = arith.divf %{{.*}}, %[[SCALED]]
// CHECK:         norm.pass [k]
// CHECK:           %[[A:.*]] = norm.load %arg0
// CHECK:           %[[FIRST:.*]] = arith.mulf %[[A]], %[[POWER]]
// CHECK:           %[[Q:.*]] = arith.mulf %[[FIRST]], %[[INVERSE]]
// CHECK:           norm.store %[[Q]]
norm.kernel @any_divisor axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %scales: !f32_n {norm.name = "scale"},
                                     %y: !f32_n_k {norm.name = "y", norm.out}) {
  norm.phase [n] {
    %s = norm.load %scales : !f32_n to f32
    norm.pass [k] {
      %a = norm.load %x : !f32_n_k to f32
      %q = arith.divf %a, %s : f32
      norm.store %q to %y : f32 to !f32_n_k
    }
  }
  norm.return
}

// Neither a root nor what lies between bounds needs one.
// CHECK-LABEL: norm.kernel @bounded
// CHECK-NOT:     arith.select
// CHECK:         %[[LARGER:.*]] = arith.maximumf
// CHECK:         %[[SCALE:.*]] = arith.divf %[[LARGER]]
// CHECK:         %[[ROOT:.*]] = math.sqrt
// CHECK-DAG:     %[[INVERSE:.*]] = arith.divf %{{.*}}, %[[SCALE]]
// CHECK-DAG:     %[[OTHER:.*]] = arith.divf %{{.*}}, %[[ROOT]]
// CHECK:         norm.pass [k]
// CHECK:           %[[Q:.*]] = arith.mulf %{{.*}}, %[[INVERSE]]
// CHECK:           %[[U:.*]] = arith.addf %[[Q]]
// CHECK:           arith.mulf %[[U]], %[[OTHER]]
norm.kernel @bounded axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %scales: !f32_n {norm.name = "scale"},
                                 %y: !f32_n_k {norm.name = "y", norm.out}) {
  norm.phase [n] {
    %s = norm.load %scales : !f32_n to f32
    %least = arith.constant 1.0e-10 : f32
    %by = arith.constant 127.0 : f32
    %larger = arith.maximumf %s, %least : f32
    %scale = arith.divf %larger, %by : f32
    %root = math.sqrt %s : f32
    norm.pass [k] {
      %a = norm.load %x : !f32_n_k to f32
      %q = arith.divf %a, %scale : f32
      %u = arith.addf %q, %a : f32
      %v = arith.divf %u, %root : f32
      norm.store %v to %y : f32 to !f32_n_k
    }
  }
  norm.return
}

// Another constant factor is divided instead, once; a divisor that changes along the sweep stays.
// CHECK-LABEL: norm.kernel @factor
// CHECK:         %[[S:.*]] = norm.load %arg1
// CHECK:         %[[RSTD:.*]] = norm.load %arg2
// CHECK:         %[[FACTOR:.*]] = arith.divf %[[RSTD]], %[[S]]
// CHECK-NEXT:    norm.pass [k]
// CHECK:           %[[A:.*]] = norm.load %arg0
// CHECK:           %[[P:.*]] = arith.mulf %[[A]], %[[FACTOR]]
// CHECK:           %[[O:.*]] = arith.mulf %[[P]], %[[A]]
// CHECK:           arith.divf %[[O]], %[[A]]
norm.kernel @factor axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %scales: !f32_n {norm.name = "scale"},
                                %rstds: !f32_n {norm.name = "rstd"}, %y: !f32_n_k {norm.name = "y", norm.out}) {
  norm.phase [n] {
    %s = norm.load %scales : !f32_n to f32
    %rstd = norm.load %rstds : !f32_n to f32
    norm.pass [k] {
      %a = norm.load %x : !f32_n_k to f32
      %p = arith.mulf %a, %rstd : f32
      %o = arith.mulf %p, %a : f32
      %q = arith.divf %o, %s : f32
      %v = arith.divf %q, %a : f32
      norm.store %v to %y : f32 to !f32_n_k
    }
  }
  norm.return
}
