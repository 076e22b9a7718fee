"""Programs for the checks of the papers: short kernels, and what the passes make of a program."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp

from fuseir.dialects.dist.launch import FusedTaskOp, LaunchOp
from fuseir.dialects.dist.ops import StoreOp
from fuseir.dialects.parsing import parse_module
from fuseir.dialects.verification import verify_module
from fuseir.passes.pipelines import run_pipeline
from fuseir.passes.remarks import Remarks
from fuseir.universe import make_context

HEAD = """
!s = !dist.store<8xf64>
!half = !dist.view<4xf64>
!one = !dist.store<f64>
#A = #dist.tiling<[2]>
#B = #dist.tiling<[2] + [1]>
#N = #dist.none
#H = #dist.tiling<[1]>
#id = affine_map<(d0) -> (d0)>
func.func private @opaque(tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
"""

_GENERIC = """
func.func @{name}({parameters}) -> tensor<?xf64> {{
  %r = linalg.generic {{indexing_maps = [{maps}], iterator_types = ["parallel"]}} {ins} outs(%{out} : tensor<?xf64>) {{
  ^bb0({elements}):
    {body}
  }} -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}}
"""


def kernel(name: str, inputs: int, *, reads_output: bool = False, combiner: str = "arith.addf") -> str:
    """An element-wise kernel over tensors of rank 1 that combines all of its inputs, and its output if that is read."""
    names = [f"x{k}" for k in range(inputs)]
    values = (["%oute"] if reads_output else []) + [f"%{n}e" for n in names]
    lines, value = [], values[0] if values else "%c"
    if not values:
        lines.append("%c = arith.constant 0.0 : f64")
    for k, other in enumerate(values[1:]):
        lines.append(f"%t{k} = {combiner} {value}, {other} : f64")
        value = f"%t{k}"
    if len(values) == 1 and reads_output:
        lines.append(f"%t = {combiner} {value}, {value} : f64")
        value = "%t"
    lines.append(f"linalg.yield {value} : f64")
    return _GENERIC.format(
        name=name,
        parameters=", ".join(f"%{n}: tensor<?xf64>" for n in [*names, "out"]),
        maps=", ".join(["#id"] * (inputs + 1)),
        ins=f"ins({', '.join('%' + n for n in names)} : {', '.join(['tensor<?xf64>'] * inputs)})" if inputs else "",
        out="out",
        elements=", ".join(f"%{n}e: f64" for n in [*names, "out"]),
        body="\n    ".join(lines),
    )


SUM = """
func.func @sum(%x: tensor<?xf64>, %n: tensor<f64>) -> tensor<f64> {
  %r = linalg.generic {indexing_maps = [#id, affine_map<(d0) -> ()>], iterator_types = ["reduction"]}
      ins(%x : tensor<?xf64>) outs(%n : tensor<f64>) {
  ^bb0(%xe: f64, %ne: f64):
    %t = arith.addf %ne, %xe : f64
    linalg.yield %t : f64
  } -> tensor<f64>
  func.return %r : tensor<f64>
}
"""

KERNELS = "".join(
    [
        kernel("write", 0),
        kernel("copy", 1),
        kernel("add", 2),
        kernel("update", 0, reads_output=True),
        kernel("acc", 1, reads_output=True),
        kernel("top", 1, reads_output=True, combiner="arith.maximumf"),
        SUM,
    ]
)

PASSES = ("fuse-tasks", "eliminate-temporaries", "compose-kernels")


def parse(program: str, kernels: str = KERNELS) -> ModuleOp:
    """The verified module of a program that may use ``HEAD``'s aliases and the kernels."""
    module = parse_module(make_context(), HEAD + kernels + program)
    verify_module(module)
    return module


def passed(program: str, passes: int, *, remarks: Remarks | None = None, verify: bool = True) -> ModuleOp:
    """The program after the first so many of ``PASSES``."""
    module = parse(program)
    run_pipeline(module, PASSES[:passes], verify=verify, remarks=remarks)
    return module


def groups(module: ModuleOp) -> list[list[str]]:
    """The names of the tasks launched, one list for each fused task or plain launch."""
    result: list[list[str]] = []
    for op in module.ops:
        if isinstance(op, FusedTaskOp):
            result.append([member.task_name for member in op.members])
        elif isinstance(op, LaunchOp):
            result.append([op.task_name])
    return result


def launches(module: ModuleOp) -> list[LaunchOp]:
    """The plain launches."""
    return [op for op in module.ops if isinstance(op, LaunchOp)]


def arguments(launch: LaunchOp) -> list[tuple[str, str]]:
    """Name and privilege of each argument."""
    return [(label(access.root.owner, access.value.name_hint), str(access.privilege)) for access in launch.accesses]


def temporaries(module: ModuleOp) -> list[set[str | None]]:
    """The temporaries of each fused task, by the names they have in the text."""
    return [{value.name_hint for value in op.temporaries} for op in module.ops if isinstance(op, FusedTaskOp)]


def label(owner: object, hint: str | None) -> str:
    """A store's own name, else the name it has in the text."""
    if isinstance(owner, StoreOp) and owner.store_name is not None:
        return owner.store_name.data
    return hint or "?"
