// RUN: split-file %s %t
// RUN: norm-opt %t/group.mlir --norm-specialize | FileCheck %s --check-prefix=ALL
// RUN: norm-opt %t/group.mlir --norm-specialize="omit=gamma,beta,weights outputs=y" | FileCheck %s --check-prefix=OMIT
// RUN: norm-opt %t/group.mlir --norm-specialize="passed=x,weights outputs=mean" | FileCheck %s --check-prefix=MEAN
// RUN: norm-opt %t/group.mlir --norm-specialize="sizes=c=256,s=49" | FileCheck %s --check-prefix=SIZES
// RUN: norm-opt %t/group.mlir --norm-specialize="sizes=k=8" | FileCheck %s --check-prefix=PART
// RUN: norm-opt %t/group.mlir --norm-specialize="orders=x=n/s.../c,y=n/s.../c inplace=y=x" | FileCheck %s --check-prefix=ORDER
// RUN: norm-opt %t/group.mlir --norm-specialize="ranks=s=2" | FileCheck %s --check-prefix=RANK

// A factor that is constant stands in the table; where its split stood is kept for the messages of a call.
// ALL-LABEL: norm.kernel @group_norm axes(n, g = 32, k, c = g * k, s)
// ALL-SAME:    norm.splits = {c = "{{.*}}group.mlir:14:3"}
// ALL-NOT:     norm.factor
// ALL-NOT:     norm.default

// No code is left of omitted inputs and outputs.
// OMIT-LABEL: norm.kernel @group_norm
// OMIT-SAME:    (%[[X:[^:]*]]: !bf16_n_g_k_s {norm.dims = ["n", "c", "s..."], norm.name = "x"})
// OMIT-SAME:    -> (!bf16_n_g_k_s {norm.dims = ["n", "c", "s..."], norm.name = "y"})
// OMIT-NEXT:    %[[EPS:.*]] = arith.constant 9.99999974E-6 : f32
// OMIT-NEXT:    %[[F:.*]] = norm.cast %[[X]] : !bf16_n_g_k_s to !f32_n_g_k_s
// OMIT-NEXT:    %[[MU:.*]], %[[VARIANCE:.*]] = norm.moments %[[F]] over [k, s] : !f32_n_g_k_s
// OMIT-NEXT:    norm.broadcast %[[EPS]]
// OMIT-NEXT:    arith.addf %[[VARIANCE]]
// OMIT-NEXT:    math.rsqrt
// OMIT-NEXT:    norm.broadcast
// OMIT-NEXT:    norm.broadcast
// OMIT-NEXT:    arith.subf
// OMIT-NEXT:    %[[N:.*]] = arith.mulf
// OMIT-NEXT:    %[[O:.*]] = norm.cast %[[N]] : !f32_n_g_k_s to !bf16_n_g_k_s
// OMIT-NEXT:    norm.return %[[O]] : !bf16_n_g_k_s

// What only other outputs need is not computed, and inputs that nothing reads are gone.
// MEAN-LABEL: norm.kernel @group_norm
// MEAN-NOT:     norm.name = "gamma"
// MEAN-SAME:    norm.name = "x"
// MEAN-SAME:    norm.name = "weights"
// MEAN-SAME:    -> (!f32_n_g {norm.dims = ["n", "g"], norm.name = "mean"})
// MEAN-NOT:     math.rsqrt
// MEAN:         norm.return %{{.*}} : !f32_n_g

// SIZES-LABEL: axes(n, g = 32, k = 8, c = g * k, s = 49)
// PART-LABEL: axes(n, g = 32, k = 8, c = g * k, s)

// Loads stand next to arguments and stores next to results; in between the order means nothing.
// ORDER-LABEL: norm.kernel @group_norm
// ORDER-SAME:    (%[[X:[^:]*]]: !bf16_n_s_g_k {norm.dims = ["n", "s...", "c"], norm.name = "x"}
// ORDER-SAME:    -> (!bf16_n_s_g_k {norm.dims = ["n", "s...", "c"], norm.inplace = "x", norm.name = "y"}
// ORDER:         %[[F:.*]] = norm.cast %[[X]] : !bf16_n_s_g_k to !f32_n_s_g_k
// ORDER:         norm.broadcast %[[F]] : !f32_n_s_g_k to !f32_n_g_k_s
// ORDER:         %[[P:.*]] = norm.broadcast %{{.*}} : !f32_n_g_k_s to !f32_n_s_g_k
// ORDER-NEXT:    %[[O:.*]] = norm.cast %[[P]] : !f32_n_s_g_k to !bf16_n_s_g_k
// ORDER-NEXT:    norm.return %[[O]]

// RANK: norm.ranks = {s = 2 : i64}

//--- group.mlir
!x = tensor<?x?x?x?xbf16, #norm.axes<n, g, k, s>>
!f = tensor<?x?x?x?xf32, #norm.axes<n, g, k, s>>
!c = tensor<?x?xf32, #norm.axes<g, k>>
!w = tensor<?x?xf32, #norm.axes<n, s>>
!m = tensor<?x?xf32, #norm.axes<n, g>>
norm.kernel @group_norm axes(n, g, k, c = g * k, s)
    (%x: !x {norm.name = "x", norm.dims = ["n", "c", "s..."]},
     %gamma: !c {norm.name = "gamma", norm.dims = ["c"], norm.default = 1},
     %beta: !c {norm.name = "beta", norm.dims = ["c"], norm.default = 0.0},
     %weights: !w {norm.name = "weights", norm.dims = ["n", "s..."], norm.default = 1})
    -> (!x {norm.name = "y", norm.dims = ["n", "c", "s..."]}, !m {norm.name = "mean", norm.dims = ["n", "g"]},
        !m {norm.name = "rstd", norm.dims = ["n", "g"]}) {
  %g = arith.constant 32 : i64
  norm.factor g = %g of c
  %f = norm.cast %x : !x to !f
  %w = norm.broadcast %weights : !w to !f
  %mu, %var = norm.moments %f weights %w : !f over [k, s] : !f
  %eps = arith.constant 1.0e-5 : f32
  %e = norm.broadcast %eps : f32 to !m
  %ve = arith.addf %var, %e : !m
  %r = math.rsqrt %ve : !m
  %mb = norm.broadcast %mu : !m to !f
  %rb = norm.broadcast %r : !m to !f
  %gb = norm.broadcast %gamma : !c to !f
  %bb = norm.broadcast %beta : !c to !f
  %d = arith.subf %f, %mb : !f
  %n = arith.mulf %d, %rb : !f
  %a = arith.mulf %n, %gb : !f
  %y = arith.addf %a, %bb : !f
  %o = norm.cast %y : !f to !x
  norm.return %o, %mu, %r : !x, !m, !m
}
