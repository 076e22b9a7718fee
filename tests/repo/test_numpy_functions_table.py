"""docs/numpy.md says of each function of NumPy what becomes of it."""

from helpers.numpy_functions import PAGE, page


def test_the_table_of_functions_is_what_the_code_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python tests/helpers/numpy_functions.py"


def test_functions_are_where_their_tests_say() -> None:
    import fuseir.numpy

    kinds = fuseir.numpy.functions()["numpy"]
    assert {"add", "sum", "where", "gradient", "pad", "concatenate"} <= set(kinds["fused"])
    assert {"sort", "cumsum", "einsum", "frexp", "take"} <= set(kinds["in the stream"])
    assert {"unique", "nonzero"} <= set(kinds["at once"])
