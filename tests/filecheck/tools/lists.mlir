// RUN: fuseir-opt --list-passes | filecheck %s --check-prefix=PASSES
// RUN: fuseir-opt --show-dialects | filecheck %s --check-prefix=DIALECTS
// RUN: fuseir-opt --version | filecheck %s --check-prefix=VERSION
// RUN: fuseir-opt --help | filecheck %s --check-prefix=HELP

// PASSES-DAG: {{^}}canonicalize{{$}}
// PASSES-DAG: {{^}}fuse-tasks{{$}}
// PASSES-DAG: {{^}}lower-kernels{{$}}

// DIALECTS:   Available Dialects: {{.*}}arith, {{.*}}dist, {{.*}}ufunc

// VERSION:    fuseir-opt {{[0-9.]+}} (xDSL {{[0-9.]+}})

// HELP:       expected-error
