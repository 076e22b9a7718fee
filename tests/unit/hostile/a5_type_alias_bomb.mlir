!t0 = tuple<i1, i1>
!t1 = tuple<!t0, !t0, !t0, !t0, !t0, !t0, !t0, !t0, !t0, !t0>
!t2 = tuple<!t1, !t1, !t1, !t1, !t1, !t1, !t1, !t1, !t1, !t1>
!t3 = tuple<!t2, !t2, !t2, !t2, !t2, !t2, !t2, !t2, !t2, !t2>
!t4 = tuple<!t3, !t3, !t3, !t3, !t3, !t3, !t3, !t3, !t3, !t3>
!t5 = tuple<!t4, !t4, !t4, !t4, !t4, !t4, !t4, !t4, !t4, !t4>
!t6 = tuple<!t5, !t5, !t5, !t5, !t5, !t5, !t5, !t5, !t5, !t5>
!t7 = tuple<!t6, !t6, !t6, !t6, !t6, !t6, !t6, !t6, !t6, !t6>
!t8 = tuple<!t7, !t7, !t7, !t7, !t7, !t7, !t7, !t7, !t7, !t7>
!t9 = tuple<!t8, !t8, !t8, !t8, !t8, !t8, !t8, !t8, !t8, !t8>
!t10 = tuple<!t9, !t9, !t9, !t9, !t9, !t9, !t9, !t9, !t9, !t9>
!t11 = tuple<!t10, !t10, !t10, !t10, !t10, !t10, !t10, !t10, !t10, !t10>
!t12 = tuple<!t11, !t11, !t11, !t11, !t11, !t11, !t11, !t11, !t11, !t11>
func.func private @f(!t12)
