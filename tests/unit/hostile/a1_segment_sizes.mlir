"scf.parallel"() <{operandSegmentSizes = array<i32: 1, 1, 1, 1000000000>}> : () -> ()
