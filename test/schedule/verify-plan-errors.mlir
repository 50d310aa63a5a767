// RUN: norm-opt --split-input-file --verify-diagnostics --norm-verify-plan="array-bytes=65536" %s

!f32_n = tensor<?xf32, #norm.axes<n>>
!f32_n_k = tensor<?x?xf32, #norm.axes<n, k>>

// plan_c1
norm.kernel @value_form axes(n, k) (%x: !f32_n_k {norm.name = "x"}) {
  // expected-error @below {{is of the value form, and has no place in a plan}}
  %s = norm.reduce sum %x over [k] : !f32_n_k
  norm.return
}

// -----

!f32_n = tensor<?xf32, #norm.axes<n>>

// plan_c2
norm.kernel @tensors axes(n) (%x: !f32_n {norm.name = "x"}) {
  // expected-error @below {{values of a plan are scalars}}
  %s = arith.negf %x : !f32_n
  norm.return
}

// -----

!f32_n = tensor<?xf32, #norm.axes<n>>

// plan_c3
norm.kernel @nothing_swept axes(n) (%x: !f32_n {norm.name = "x"}) {
  norm.phase [n] {
    // expected-error @below {{sweeps over no axis}}
    norm.pass [] {
      %a = norm.load %x : !f32_n to f32
    }
  }
  norm.return
}

// -----

!f32_n = tensor<?xf32, #norm.axes<n>>

// plan_c4
// expected-error @below {{never writes its output `y`}}
norm.kernel @unwritten axes(n) (%y: !f32_n {norm.name = "y", norm.out}) {
  norm.return
}

// -----

!f32_n = tensor<?xf32, #norm.axes<n>>

// plan_c4
norm.kernel @written_twice axes(n) (%y: !f32_n {norm.name = "y", norm.out}) {
  norm.phase [n] {
    %one = arith.constant 1.0 : f32
    norm.store %one to %y : f32 to !f32_n
    // expected-error @below {{writes `y` again}}
    norm.store %one to %y : f32 to !f32_n
  }
  norm.return
}

// -----

!f32_n = tensor<?xf32, #norm.axes<n>>

// plan_c5
norm.kernel @unwritten_workspace axes(n) (%y: !f32_n {norm.name = "y", norm.out}) {
  %w = norm.workspace : !f32_n
  norm.phase [n] {
    // expected-error @below {{reads workspace that nothing has written}}
    %a = norm.load %w : !f32_n to f32
    norm.store %a to %y : f32 to !f32_n
  }
  norm.return
}

// -----

!f32_n = tensor<?xf32, #norm.axes<n>>

// plan_c5
norm.kernel @combined_workspace axes(n) (%x: !f32_n {norm.name = "x"}) {
  %w = norm.workspace : !f32_n
  norm.phase [n] {
    %a = norm.load %x : !f32_n to f32
    // expected-error @below {{combines into workspace that nothing has written}}
    norm.store sum %a to %w : f32 to !f32_n
  }
  norm.return
}

// -----

!f32_n = tensor<?xf32, #norm.axes<n>>

// plan_c6
norm.kernel @output_read axes(n) (%y: !f32_n {norm.name = "y", norm.out}) {
  norm.phase [n] {
    // expected-error @below {{reads the output `y`}}
    %a = norm.load %y : !f32_n to f32
    norm.store %a to %y : f32 to !f32_n
  }
  norm.return
}

// -----

!f32_n = tensor<?xf32, #norm.axes<n>>

// plan_c7
norm.kernel @state_read_late axes(n) (%s: !f32_n {norm.name = "s", norm.state}, %y: !f32_n {norm.name = "y", norm.out}) {
  norm.phase [n] {
    %one = arith.constant 1.0 : f32
    norm.store %one to %s : f32 to !f32_n
    // expected-error @below {{reads `s` after it is replaced}}
    %a = norm.load %s : !f32_n to f32
    norm.store %a to %y : f32 to !f32_n
  }
  norm.return
}

// -----

!f32_n = tensor<?xf32, #norm.axes<n>>
!f32_n_k = tensor<?x?xf32, #norm.axes<n, k>>

// plan_c8
norm.kernel @one_place axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %y: !f32_n {norm.name = "y", norm.out}) {
  norm.phase [n] {
    norm.pass [k] {
      %a = norm.load %x : !f32_n_k to f32
      // expected-error @below {{writes one place from all lanes of "k"}}
      norm.store %a to %y : f32 to !f32_n
    }
  }
  norm.return
}

// -----

!f32_g_k = tensor<?x?xf32, #norm.axes<g, k>>

// plan_c9
norm.kernel @chunk_of_a_part axes(g, k, c = g * k, p = k by 16) (%x: !f32_g_k {norm.name = "x"}) {
  norm.phase [p] {
    // expected-error @below {{of whose inner part "k" only a chunk is at hand}}
    %s = norm.pass [c] (sum) {
      %a = norm.load %x : !f32_g_k to f32
      norm.yield %a : f32
    }
  }
  norm.return
}

// -----

!f32_n_k = tensor<?x?xf32, #norm.axes<n, k>>

// plan_c10
norm.kernel @replaced_input axes(n, k) (%x: !f32_n_k {norm.name = "x", norm.shared},
                                        %y: !f32_n_k {norm.name = "y", norm.out, norm.shared, norm.inplace = "x"}) {
  norm.phase [n] {
    norm.pass [k] {
      %a = norm.load %x : !f32_n_k to f32
      norm.store %a to %y : f32 to !f32_n_k
    }
    %s = norm.pass [k] (sum) {
      // expected-error @below {{reads `x` after an output in its place is written}}
      %a = norm.load %x : !f32_n_k to f32
      norm.yield %a : f32
    }
  }
  norm.return
}

// -----

!f32_n = tensor<?xf32, #norm.axes<n>>

// plan_c10
norm.kernel @replaced_element axes(n) (%x: !f32_n {norm.name = "x", norm.shared},
                                       %y: !f32_n {norm.name = "y", norm.out, norm.shared, norm.inplace = "x"},
                                       %z: !f32_n {norm.name = "z", norm.out}) {
  norm.phase [] {
    norm.pass [n] {
      %c = arith.constant 1.0 : f32
      norm.store %c to %y : f32 to !f32_n
      // expected-error @below {{reads `x` after an output in its place is written}}
      %a = norm.load %x : !f32_n to f32
      norm.store %a to %z : f32 to !f32_n
    }
  }
  norm.return
}

// -----

!f32_n = tensor<?xf32, #norm.axes<n>>

// plan_c12
norm.kernel @whole_beside_chunks axes(n, p = n by 16) (%x: !f32_n {norm.name = "x"}, %y: !f32_n {norm.name = "y", norm.out}) {
  // expected-error @below {{binds "p", chunks of "n", which is not bound inside of them}}
  norm.phase [n, p] {
    %a = norm.load %x : !f32_n to f32
    norm.store %a to %y : f32 to !f32_n
  }
  norm.return
}

// -----

!f32_n = tensor<?xf32, #norm.axes<n>>
!f32_p = tensor<?xf32, #norm.axes<p>>

// plan_c12
norm.kernel @chunks_inside axes(n, p = n by 16) (%x: !f32_n {norm.name = "x"}, %y: !f32_p {norm.name = "y", norm.out}) {
  norm.phase [] {
    norm.pass [n] {
      // expected-error @below {{binds "p", chunks of "n", which is not bound inside of them}}
      norm.pass [p] {
        %a = norm.load %x : !f32_n to f32
        norm.store %a to %y : f32 to !f32_p
      }
    }
  }
  norm.return
}

// -----

!f32_n = tensor<?xf32, #norm.axes<n>>

// plan_c13
norm.kernel @two_kinds_of_chunks axes(n, p = n by 16, q = n by 64) (%x: !f32_n {norm.name = "x"}, %y: !f32_n {norm.name = "y", norm.out}) {
  norm.phase [q] {
    // expected-error @below {{binds "p" beside "q": both are chunks of "n"}}
    norm.pass [p] {
      norm.pass [n] {
        %a = norm.load %x : !f32_n to f32
        norm.store %a to %y : f32 to !f32_n
      }
    }
  }
  norm.return
}

// -----

!f32_c = tensor<?xf32, #norm.axes<c>>
!f32_n_c = tensor<?x?xf32, #norm.axes<n, c>>

// plan_c14
norm.kernel @state_updated_for_each_chunk axes(n, c, p = n by 16) (%x: !f32_n_c {norm.name = "x"}, %s: !f32_c {norm.name = "s", norm.state}) {
  norm.phase [c] {
    norm.pass [p] {
      %sum = norm.pass [n] (sum) {
        %a = norm.load %x : !f32_n_c to f32
        norm.yield %a : f32
      }
      %old = norm.load %s : !f32_c to f32
      %new = arith.addf %old, %sum : f32
      // expected-error @below {{writes `s` again for each of "p"}}
      norm.store %new to %s : f32 to !f32_c
    }
  }
  norm.return
}

// -----

!f32_n = tensor<?xf32, #norm.axes<n>>
!f32_n_c = tensor<?x?xf32, #norm.axes<n, c>>
!f32_c = tensor<?xf32, #norm.axes<c>>

// plan_c15
norm.kernel @last_row_left axes(n, c) (%x: !f32_n_c {norm.name = "x"}, %y: !f32_c {norm.name = "y", norm.out}) {
  %w = norm.workspace : !f32_c
  norm.phase [] {
    norm.pass [n] {
      norm.pass [c] {
        %a = norm.load %x : !f32_n_c to f32
        norm.store %a to %w : f32 to !f32_c
      }
    }
  }
  norm.phase [c] {
    // expected-error @below {{reads workspace of which only the last of "n" is left}}
    %b = norm.load %w : !f32_c to f32
    norm.store %b to %y : f32 to !f32_c
  }
  norm.return
}

// -----

!f32_n_c = tensor<?x?xf32, #norm.axes<n, c>>

// plan_c16
norm.kernel @large_array axes(n, c = 100000) (%x: !f32_n_c {norm.name = "x"}, %y: !f32_n_c {norm.name = "y", norm.out}) {
  // expected-error @below {{is 400000 bytes of a block's own: a block has at most 65536}}
  %w = norm.workspace : !f32_n_c
  norm.phase [n] {
    norm.pass [c] {
      %a = norm.load %x : !f32_n_c to f32
      norm.store %a to %w : f32 to !f32_n_c
    }
    norm.pass [c] {
      %b = norm.load %w : !f32_n_c to f32
      norm.store %b to %y : f32 to !f32_n_c
    }
  }
  norm.return
}

// -----

!f32_c = tensor<?xf32, #norm.axes<c>>
!f32_r_c = tensor<?x?xf32, #norm.axes<r, c>>

// plan_c5
norm.kernel @nothing_to_give axes(c, r) () {
  %mine = norm.workspace : !f32_c
  %all = norm.workspace : !f32_r_c
  // expected-error @below {{gives workspace that nothing has written}}
  norm.exchange %mine to %all : !f32_c to !f32_r_c
  norm.return
}

// -----

!f32_c = tensor<?xf32, #norm.axes<c>>
!f32_r_c = tensor<?x?xf32, #norm.axes<r, c>>

// plan_c11
norm.kernel @exchanged_twice axes(c, r) (%x: !f32_c {norm.name = "x"}) {
  %mine = norm.workspace : !f32_c
  %all = norm.workspace : !f32_r_c
  norm.phase [c] {
    %a = norm.load %x : !f32_c to f32
    norm.store %a to %mine : f32 to !f32_c
  }
  norm.exchange %mine to %all : !f32_c to !f32_r_c
  // expected-error @below {{writes workspace that has been written}}
  norm.exchange %mine to %all : !f32_c to !f32_r_c
  norm.return
}

// -----

!f32_n_k_s = tensor<?x?x?xf32, #norm.axes<n, k, s>>
!f32_n = tensor<?xf32, #norm.axes<n>>

// plan_c17
norm.kernel @slices_of_two_axes axes(n, k, s) (%x: !f32_n_k_s {norm.name = "x"}, %y: !f32_n {norm.name = "y", norm.out}) {
  // expected-error @below {{is vectorized, but its blocks are not slices that are each reduced along one axis}}
  norm.phase [n] vectorized {
    %s = norm.pass [k, s] (sum) {
      %a = norm.load %x : !f32_n_k_s to f32
      norm.yield %a : f32
    }
    norm.store %s to %y : f32 to !f32_n
  }
  norm.return
}

// -----

!f32_n_k = tensor<?x?xf32, #norm.axes<n, k>>
!f32_n = tensor<?xf32, #norm.axes<n>>

norm.kernel @slices_of_any_length axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %y: !f32_n {norm.name = "y", norm.out}) {
  // expected-error @below {{is vectorized, but nothing keeps its slices to 256 points}}
  norm.phase [n] vectorized {
    %s = norm.pass [k] (sum) {
      %a = norm.load %x : !f32_n_k to f32
      norm.yield %a : f32
    }
    norm.store %s to %y : f32 to !f32_n
  }
  norm.return
}
