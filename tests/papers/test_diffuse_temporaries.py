"""Diffuse §5.1, Def. 4: which stores need no memory. One test for each item of the checklist, by its id.

What the checklist says about reference counts (D41-D43) shows here as `dist.release`: there or not.
"""

from __future__ import annotations

from helpers.dist_programs import groups, launches, passed, temporaries

STORES = """
%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store : !s
%w = dist.store : !s
"""

MAKE = "dist.launch @copy<[4]>(%x: read #A, %z: write #A) : (!s, !s)\n"
USE = "dist.launch @copy<[4]>(%z: read #A, %y: write #A) : (!s, !s)\n"
RELEASE = "dist.release %z : !s\n"


def of(program: str) -> list[set[str | None]]:
    return temporaries(passed(STORES + program, 2))


def test_d40_figure_6():
    # z = 2*x; w = y+z; v = w**2; norm(w[half:]); then x, y, z, w are dropped.
    program = (
        STORES
        + """
    %v = dist.store "v" : !s
    %n = dist.store "n" : !one
    %part = dist.view %w (d0) -> (d0 + 4) : !s -> !half
    dist.launch @copy<[4]>(%x: read #A, %z: write #A) : (!s, !s)
    dist.launch @add<[4]>(%y: read #A, %z: read #A, %w: write #A) : (!s, !s, !s)
    dist.launch @add<[4]>(%w: read #A, %w: read #A, %v: write #A) : (!s, !s, !s)
    dist.launch @sum<[4]>(%part: read #H, %n: reduce<add> #N) : (!half, !one)
    dist.release %x : !s
    dist.release %y : !s
    dist.release %z : !s
    dist.release %w : !s
    """
    )
    module = passed(program, 2)
    assert groups(module) == [["copy", "add", "add"], ["sum"]]
    assert temporaries(module) == [{"z"}]


def test_d41_a_reference_keeps_the_store():
    assert of(MAKE + USE) == [set()]
    assert of(MAKE + USE + RELEASE) == [{"z"}]


def test_d43_releases_speak_for_all_views():
    # The application drops its last reference, be it a view: what the capture makes of it is one release of the root.
    view = "%all = dist.view %z (d0) -> (-d0 + 7) : !s -> !dist.view<8xf64>\n"
    program = view + (MAKE + USE).replace("%z:", "%all:").replace("(!s, !s)", "(!s, !dist.view<8xf64>)", 1)
    program = program.replace("%y: write #A) : (!s, !s)", "%y: write #A) : (!dist.view<8xf64>, !s)")
    assert of(program) == [set()]
    assert of(program + RELEASE) == [{"z"}]


def test_d44_pending_readers_and_reducers_keep_the_store():
    for pending in (
        "dist.launch @copy<[4]>(%z: read #B, %y: write #B) : (!s, !s)\n",
        "dist.launch @opaque<[4]>(%z: read #A, %y: write #A) : (!s, !s)\n",
        "dist.launch @acc<[4]>(%x: read #B, %z: reduce<add> #B) : (!s, !s)\n"
        "dist.launch @copy<[4]>(%z: read #B, %y: write #B) : (!s, !s)\n",
    ):
        assert of(MAKE + USE + pending + RELEASE)[0] == set()


def test_d45_a_covering_write_before_the_pending_read():
    read = "dist.launch @opaque<[4]>(%z: read #A, %y: write #A) : (!s, !s)\n"
    covering = "dist.launch @opaque<[4]>(%x: read #A, %z: write #A) : (!s, !s)\n"
    partial = "dist.launch @opaque<[4]>(%x: read #B, %z: write #B) : (!s, !s)\n"
    assert of(MAKE + USE + covering + read + RELEASE) == [{"z"}]
    assert of(MAKE + USE + partial + read + RELEASE) == [set()]


def test_d46_the_covering_write_is_through_the_pieces_that_are_read():
    # fuse-tasks would not make this group; what a file says is believed no more than that.
    program = f"dist.fused_task<[4]> {{ {MAKE} {USE.replace('#A', '#B')} }}\n"
    assert of(program + RELEASE) == [set()]


def test_d47_a_partial_write_is_no_producer():
    assert of((MAKE + USE).replace("#A", "#B") + RELEASE) == [set()]
    # Beyond the end of the store is covered all the same.
    assert of((MAKE + USE).replace("#A", "#dist.tiling<[3]>") + RELEASE) == [{"z"}]


def test_d48_first_access_read_write():
    defined = "dist.launch @opaque<[4]>(%x: read #A, %z: write #A) : (!s, !s)\n"
    assert of(defined + "dist.launch @update<[4]>(%z: read_write #A) : (!s)\n" + USE + RELEASE) == [set()]
    assert of(MAKE + "dist.launch @update<[4]>(%z: read_write #A) : (!s)\n" + USE + RELEASE) == [{"z"}]


def test_d49_reduction_targets():
    program = """
    %n = dist.store : !one
    dist.launch @opaque_sum<[1]>(%x: read #N, %n: write #N) : (!s, !one)
    dist.launch @sum<[4]>(%x: read #A, %n: reduce<add> #N) : (!s, !one)
    dist.launch @copy<[4]>(%x: read #A, %y: write #A) : (!s, !s)
    dist.launch @opaque_sum<[1]>(%x: read #N, %n: read_write #N) : (!s, !one)
    dist.release %n : !one
    """
    declared = "func.func private @opaque_sum(tensor<?xf64>, tensor<f64>) -> tensor<f64>\n"
    module = passed(declared + STORES + program, 2)
    assert groups(module)[1] == ["sum", "copy"]
    assert temporaries(module) == [set()]


def test_d50_dead_stores():
    # Beside results that are wanted, a dead store is a temporary; a launch with no other result goes away.
    program = STORES + MAKE + USE + "dist.launch @copy<[4]>(%z: read #A, %w: write #A) : (!s, !s)\n" + RELEASE
    module = passed(program + "dist.release %w : !s\n", 2)
    assert groups(module) == [["copy", "copy"]]
    assert temporaries(module) == [{"z"}]
    assert groups(passed(STORES + MAKE + RELEASE, 2)) == []


def test_d51_a_temporary_is_the_only_source_of_its_shape():
    # No store that is kept has the pieces of %z: its own argument stays, for the shape, without access.
    program = (
        STORES
        + """
    %n = dist.store "n" : !one
    dist.launch @write<[4]>(%z: write #A) : (!s)
    dist.launch @sum<[4]>(%z: read #A, %n: reduce<add> #N) : (!s, !one)
    dist.release %z : !s
    """
    )
    (launch,) = launches(passed(program, 3))
    assert [str(access.privilege) for access in launch.accesses] == ["no_access", "reduce<add>"]
