"""The device functions that kernels may call: a closed set, of which a source holds those that it uses and no others.

There are no headers, and no text of users. Each helper names the ones it needs itself. All integers are total, as
``docs/kernels.md`` section 2 defines; integers are unsigned types, and ``signed_of`` is how one is read as signed.
"""

from __future__ import annotations

from collections.abc import Iterable

from fuseir.codegen.cuda.helper import Helper, inline_function
from fuseir.codegen.cuda.team_helpers import TEAM_HELPERS

PROLOGUE = """\
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long long s64;
"""


def _simple(name: str, expression: str) -> Helper:
    return Helper(inline_function("typename T", f"T {name}(T a, T b)", f"return {expression};"))


def _signed(name: str, body: str) -> Helper:
    return Helper(
        inline_function("typename T", f"T {name}(T a, T b)", "typedef typename signed_of<T>::type S;\n" + body),
        ("signed_of",),
    )


_FLOAT_EXTREMUM = """\
if (a != a || b != b)
    return {nan};
if (a == b)  // zeros of two signs
    return sign_bit(a) ? {negative} : {positive};
return a {relation} b ? a : b;
"""


def _extremum(name: str, relation: str, propagates: bool) -> Helper:
    negative, positive = ("a", "b") if relation == "<" else ("b", "a")
    nan = "a != a ? a : b" if propagates else "a != a ? b : a"
    body = _FLOAT_EXTREMUM.format(nan=nan, negative=negative, positive=positive, relation=relation)
    return Helper(inline_function("typename T", f"T {name}(T a, T b)", body), ("sign_bit",))


HELPERS: dict[str, Helper] = {
    "signed_of": Helper(
        "template <typename T> struct signed_of;\n"
        + "".join(f"template <> struct signed_of<u{w}> {{ typedef s{w} type; }};\n" for w in (8, 16, 32, 64))
    ),
    "sign_bit": Helper(
        inline_function("", "bool sign_bit(float x)", "return __float_as_int(x) < 0;")
        + inline_function("", "bool sign_bit(double x)", "return __double_as_longlong(x) < 0;")
    ),
    # Combiners, and the operations that they are.
    "add": _simple("add", "a + b"),
    "multiply": _simple("multiply", "a * b"),
    "add_bits": _simple("add_bits", "T(u64(a) + u64(b))"),
    "multiply_bits": _simple("multiply_bits", "T(u64(a) * u64(b))"),
    "and_bits": _simple("and_bits", "T(a & b)"),
    "or_bits": _simple("or_bits", "T(a | b)"),
    "xor_bits": _simple("xor_bits", "T(a ^ b)"),
    "minimum": _extremum("minimum", "<", True),
    "maximum": _extremum("maximum", ">", True),
    "minimum_number": _extremum("minimum_number", "<", False),
    "maximum_number": _extremum("maximum_number", ">", False),
    "min_unsigned": _simple("min_unsigned", "a < b ? a : b"),
    "max_unsigned": _simple("max_unsigned", "a > b ? a : b"),
    "min_signed": _signed("min_signed", "return S(a) < S(b) ? a : b;"),
    "max_signed": _signed("max_signed", "return S(a) > S(b) ? a : b;"),
    # Total integer operations.
    "divide_signed": _signed(
        "divide_signed",
        """\
if (b == 0)
    return 0;
return S(b) == -1 ? T(0 - u64(a)) : T(S(a) / S(b));""",
    ),
    "divide_unsigned": _simple("divide_unsigned", "b == 0 ? T(0) : T(a / b)"),
    "remainder_signed": _signed("remainder_signed", "return b == 0 || S(b) == -1 ? T(0) : T(S(a) % S(b));"),
    "remainder_unsigned": _simple("remainder_unsigned", "b == 0 ? T(0) : T(a % b)"),
    "divide_floor": Helper(
        inline_function(
            "typename T",
            "T divide_floor(T a, T b)",
            """\
typedef typename signed_of<T>::type S;
const bool down = remainder_signed(a, b) != 0 && (S(a) < 0) != (S(b) < 0);
return T(u64(divide_signed(a, b)) - u64(down));""",
        ),
        ("signed_of", "divide_signed", "remainder_signed"),
    ),
    "divide_ceiling": Helper(
        inline_function(
            "typename T",
            "T divide_ceiling(T a, T b)",
            """\
typedef typename signed_of<T>::type S;
const bool up = remainder_signed(a, b) != 0 && (S(a) < 0) == (S(b) < 0);
return T(u64(divide_signed(a, b)) + u64(up));""",
        ),
        ("signed_of", "divide_signed", "remainder_signed"),
    ),
    "divide_ceiling_unsigned": _simple("divide_ceiling_unsigned", "b == 0 ? T(0) : T(u64(a / b) + u64(a % b != 0))"),
    "shift_left": _simple("shift_left", "b < 8 * sizeof(T) ? T(u64(a) << b) : T(0)"),
    "shift_right_unsigned": _simple("shift_right_unsigned", "b < 8 * sizeof(T) ? T(a >> b) : T(0)"),
    "shift_right_signed": _signed(
        "shift_right_signed", "return T(S(a) >> (b < 8 * sizeof(T) ? b : T(8 * sizeof(T) - 1)));"
    ),
    "absolute": Helper(
        inline_function(
            "typename T", "T absolute(T a)", "return typename signed_of<T>::type(a) < 0 ? T(0 - u64(a)) : a;"
        ),
        ("signed_of",),
    ),
    "power": _signed(
        "power",
        """\
if (S(b) < 0)  // the power of the truncated inverse
    return a == 1 ? T(1) : S(a) != -1 ? T(0) : b & 1 ? a : T(1);
T result = 1;
for (; b != 0; b = T(b >> 1)) {
    if (b & 1)
        result = T(u64(result) * u64(a));
    a = T(u64(a) * u64(a));
}
return result;""",
    ),
    "leading_zeros": Helper(
        inline_function(
            "typename T", "T leading_zeros(T a)", "return T(__clzll(s64(u64(a))) - (64 - 8 * int(sizeof(T))));"
        )
    ),
    "trailing_zeros": Helper(
        inline_function(
            "typename T", "T trailing_zeros(T a)", "return a == 0 ? T(8 * sizeof(T)) : T(__ffsll(s64(u64(a))) - 1);"
        )
    ),
    # Conversions that saturate; NaN gives 0. `limit` is the first power of two that does not fit.
    "saturate_signed": Helper(
        inline_function(
            "typename T, typename F",
            "T saturate_signed(F x, F limit)",
            """\
typedef typename signed_of<T>::type S;
const T lowest = T(T(1) << (8 * sizeof(T) - 1));
return x != x ? T(0) : x <= -limit ? lowest : x >= limit ? T(~lowest) : T(S(x));""",
        ),
        ("signed_of",),
    ),
    "saturate_unsigned": Helper(
        inline_function(
            "typename T, typename F",
            "T saturate_unsigned(F x, F limit)",
            "return x > 0 ? x >= limit ? T(~T(0)) : T(x) : T(0);",
        )
    ),
    # Math functions that CUDA has less precise ones for than the contract allows.
    "complement_of_erf": Helper(
        """\
// erfc(x) = e^(-x^2) P(t)/(|x| + 3) with t = (|x| - 3)/(|x| + 3), P of degree 20 (the mapping is Schonfelder's, 1978, with another
// constant); around 0, 1 - erf(x). The first two coefficients, the quotient and the product carry what rounding took from them.
__device__ __forceinline__ double complement_of_erf(double x)
{
    const double a = fabs(x);
    if (!(a < 28.0))
        return x != x ? x : x < 0.0 ? 2.0 : 0.0;
    if (a < 0.5)
        return 1.0 - erf(x);
    const double below = a + 3.0, inverse = 1.0 / below;
    const double lost = fma(below, -inverse, 1.0) - (a - (below - 3.0)) * inverse;
    const double t = fma(inverse * lost, -6.0, fma(inverse, -6.0, 1.0));
    const double higher[] = {
        0x1.2e326945de2fbp-1, -0x1.3deb21415de03p-2, 0x1.e995f11b0e97ep-4, -0x1.b78993d67cb06p-6,
        -0x1.3dd3e6dd0c0f4p-10, 0x1.8dae3a06a1e93p-9, -0x1.1f78e6358ad3dp-11, -0x1.2238f2dc12a90p-12,
        0x1.c3264dd791dfbp-14, 0x1.fdfaeee7e8b97p-16, -0x1.252da1df9c104p-16, -0x1.3e6f6a65a3efbp-18,
        0x1.74b552880d792p-19, 0x1.0916c1417e9d5p-20, -0x1.caaa6626b5396p-22, -0x1.cc5c081666412p-23,
        0x1.143ece84fb298p-24, 0x1.13dcdf885c873p-25, -0x1.3ba772c9eefacp-27
    };
    double p = higher[18];
    for (int k = 17; k >= 0; --k)
        p = fma(p, t, higher[k]);
    const double c1 = -0x1.c44c471baa375p-1, c0 = 0x1.12f21ddd9f5e2p+0;
    const double m1 = p * t, q = c1 + m1, q_low = (m1 - (q - c1)) + fma(p, t, -m1) + 0x1.7b88b5d63a12dp-56;
    const double m0 = q * t, s = c0 + m0, s_low = (m0 - (s - c0)) + fma(q, t, -m0) + q_low * t + -0x1.f088344ea050dp-54;
    const double factor = s * inverse, square = a * a;
    const double rest = fma(s, inverse, -factor) + fma(s_low, inverse, factor * (lost - fma(a, a, -square)));
    const double value = exp(-square) * (factor + rest);
    return x < 0.0 ? 2.0 - value : value;
}
"""
    ),
    # Memory.
    "Pack": Helper(
        """\
// Elements side by side, moved by one instruction where all of them are there.
template <typename T, int Lanes>
struct alignas(sizeof(T) * Lanes) Pack {
    T at[Lanes];
};
"""
        + inline_function(
            "int Lanes, typename T",
            "Pack<T, Lanes> load_pack(const T *from, s64 left)",
            """\
if (left >= Lanes)
    return *reinterpret_cast<const Pack<T, Lanes> *>(from);
Pack<T, Lanes> pack = {};
for (int lane = 0; lane < Lanes; ++lane)
    if (lane < left)
        pack.at[lane] = from[lane];
return pack;""",
        )
        + inline_function(
            "int Lanes, typename T",
            "void store_pack(T *to, const Pack<T, Lanes> &pack, s64 left)",
            """\
if (left >= Lanes) {
    *reinterpret_cast<Pack<T, Lanes> *>(to) = pack;
    return;
}
for (int lane = 0; lane < Lanes; ++lane)
    if (lane < left)
        to[lane] = pack.at[lane];""",
        )
    ),
    **TEAM_HELPERS,
    "least": Helper(inline_function("typename T", "T least(T a, T b)", "return b < a ? b : a;")),
}


def with_needs(names: Iterable[str]) -> list[str]:
    """The helpers called ``names`` and all that they need, each after what it needs, in the table's order where that is free."""
    ordered: dict[str, None] = {}
    wanted = set(names)
    waiting = [name for name in reversed(HELPERS) if name in wanted]
    while waiting:
        name = waiting[-1]
        missing = [need for need in HELPERS[name].needs if need not in ordered]
        if missing:
            waiting += reversed(missing)
        else:
            ordered[waiting.pop()] = None
    return list(ordered)
