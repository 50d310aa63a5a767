// RUN: norm-opt --norm-lower-replicas %s | FileCheck %s --enable-var-scope

!f32_c = tensor<?xf32, #norm.axes<c>>
!f32_replica = tensor<?xf32, #norm.axes<replica>>

// What a replica has is gathered, and reduced over the axis of replicas, which is the last of the table.
// CHECK-LABEL: norm.kernel @total axes(c, replica)
// CHECK-SAME:    norm.replicas = "replica"
norm.kernel @total axes(c) (%x: !f32_c {norm.name = "x"}) -> (!f32_c {norm.name = "y"}) {
  // CHECK: %[[ALL:.*]] = norm.all_gather %{{.*}} over replica : !f32_c to !f32_replica_c
  // CHECK: %[[TOTAL:.*]] = norm.reduce sum %[[ALL]] over [replica] : !f32_replica_c
  // CHECK: norm.return %[[TOTAL]]
  %total = norm.all_reduce sum %x : !f32_c
  norm.return %total : !f32_c
}

// Counts stay integers; both reductions share the axis.
// CHECK-LABEL: norm.kernel @counts axes(c, replica)
norm.kernel @counts axes(c) (%x: !f32_c {norm.name = "x"}) -> (!f32_c {norm.name = "y"}, i64 {norm.name = "m"}) {
  // CHECK: norm.all_gather %{{.*}} over replica : i64 to !i64_replica
  // CHECK: norm.reduce sum %{{.*}} over [replica] : !i64_replica
  // CHECK: norm.reduce max %{{.*}} over [replica] : !f32_replica_c
  %size = norm.size [c]
  %count = norm.all_reduce sum %size : i64
  %most = norm.all_reduce max %x : !f32_c
  norm.return %most, %count : !f32_c, i64
}

// An axis of the spec keeps its name.
// CHECK-LABEL: norm.kernel @named axes(replica, replica_)
norm.kernel @named axes(replica) (%x: !f32_replica {norm.name = "x"}) -> (!f32_replica {norm.name = "y"}) {
  // CHECK: norm.all_gather %{{.*}} over replica_ : !f32_replica to !f32_replica__replica
  %total = norm.all_reduce min %x : !f32_replica
  norm.return %total : !f32_replica
}

// CHECK-LABEL: norm.kernel @alone axes(c)
// CHECK-NOT:     norm.all_gather
norm.kernel @alone axes(c) (%x: !f32_c {norm.name = "x"}) -> (!f32_c {norm.name = "y"}) {
  norm.return %x : !f32_c
}
