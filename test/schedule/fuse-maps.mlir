// RUN: norm-opt %s --pass-pipeline='builtin.module(norm.kernel(norm-fuse-maps))' --verify-roundtrip | FileCheck %s

!f32_c = tensor<?xf32, #norm.axes<c>>
!f32_c_s = tensor<?x?xf32, #norm.axes<c, s>>

// Both spread a value over a run: one loop over the runs, and one inside. Arithmetic between them stays before it.
// CHECK-LABEL: norm.kernel @spread
// CHECK:         norm.phase []
// CHECK:           %[[COUNT:.*]] = norm.size [s]
// CHECK:           norm.pass [c] {
// CHECK:             %[[A:.*]] = norm.load %arg0
// CHECK:             %[[B:.*]] = norm.load %arg1
// CHECK:             norm.pass [s] {
// CHECK:               norm.store %[[A]] to %arg2
// CHECK:               norm.store %[[B]] to %arg3
// CHECK-NOT:       norm.pass
// CHECK:         norm.return
norm.kernel @spread axes(c, s) (%g: !f32_c {norm.name = "g"}, %h: !f32_c {norm.name = "h"},
                                %p: !f32_c_s {norm.name = "p", norm.out}, %q: !f32_c_s {norm.name = "q", norm.out}) {
  norm.phase [] {
    norm.pass [c] {
      %a = norm.load %g : !f32_c to f32
      norm.pass [s] {
        norm.store %a to %p : f32 to !f32_c_s
      }
    }
    %count = norm.size [s]
    norm.pass [c] {
      %b = norm.load %h : !f32_c to f32
      norm.pass [s] {
        norm.store %b to %q : f32 to !f32_c_s
      }
    }
  }
  norm.return
}

// Three of them become one, too; a store that stands between two passes keeps them apart.
// CHECK-LABEL: norm.kernel @several
// CHECK:         norm.pass [c] {
// CHECK-COUNT-3:   norm.store
// CHECK:         norm.store {{.*}} to %arg4
// CHECK:         norm.pass [c] {
norm.kernel @several axes(c) (%g: !f32_c {norm.name = "g"}, %p: !f32_c {norm.name = "p", norm.out},
                              %q: !f32_c {norm.name = "q", norm.out}, %r: !f32_c {norm.name = "r", norm.out},
                              %one: tensor<f32> {norm.name = "one", norm.out},
                              %s: !f32_c {norm.name = "s", norm.out}) {
  norm.phase [] {
    norm.pass [c] {
      %a = norm.load %g : !f32_c to f32
      norm.store %a to %p : f32 to !f32_c
    }
    norm.pass [c] {
      %a = norm.load %g : !f32_c to f32
      norm.store %a to %q : f32 to !f32_c
    }
    norm.pass [c] {
      %a = norm.load %g : !f32_c to f32
      norm.store %a to %r : f32 to !f32_c
    }
    %c = arith.constant 1.0 : f32
    norm.store %c to %one : f32 to tensor<f32>
    norm.pass [c] {
      %a = norm.load %g : !f32_c to f32
      norm.store %a to %s : f32 to !f32_c
    }
  }
  norm.return
}

// What one writes and the other reads keeps them apart; so do other axes, a reduction, and maps of another depth.
// CHECK-LABEL: norm.kernel @apart
// CHECK-COUNT-7: norm.pass
// CHECK:         norm.return
norm.kernel @apart axes(c, s) (%g: !f32_c {norm.name = "g"}, %p: !f32_c {norm.name = "p", norm.out},
                               %q: !f32_c_s {norm.name = "q", norm.out}) {
  %w = norm.workspace : !f32_c
  %v = norm.workspace : !f32_c_s
  norm.phase [] {
    norm.pass [c] {
      %a = norm.load %g : !f32_c to f32
      norm.store %a to %w : f32 to !f32_c
    }
    norm.pass [c] {
      %a = norm.load %w : !f32_c to f32
      norm.store %a to %p : f32 to !f32_c
    }
    norm.pass [c] {
      %a = norm.load %g : !f32_c to f32
      norm.pass [s] {
        norm.store %a to %v : f32 to !f32_c_s
      }
    }
    norm.pass [c, s] {
      %a = norm.load %v : !f32_c_s to f32
      norm.store %a to %q : f32 to !f32_c_s
    }
    norm.pass [c] {
      %a = norm.pass [s] (sum) {
        %b = norm.load %v : !f32_c_s to f32
        norm.yield %b : f32
      }
      norm.store %a to %w : f32 to !f32_c
    }
  }
  norm.return
}

// An output in an input's place is that input: the first pass reads points that the second has not written yet.
// CHECK-LABEL: norm.kernel @in_place
// CHECK:         norm.load %arg0 at
// CHECK:         norm.pass [c] {
norm.kernel @in_place axes(c) (%x: !f32_c {norm.name = "x", norm.shared},
                               %p: !f32_c {norm.name = "p", norm.out},
                               %y: !f32_c {norm.name = "y", norm.out, norm.shared}) {
  norm.phase [] {
    norm.pass [c] {
      %zero = arith.constant 0 : i64
      %a = norm.load %x at [c = %zero] : !f32_c to f32
      norm.store %a to %p : f32 to !f32_c
    }
    norm.pass [c] {
      %one = arith.constant 1.0 : f32
      norm.store %one to %y : f32 to !f32_c
    }
  }
  norm.return
}
