"""Does a module survive being printed and parsed?"""

from __future__ import annotations

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from fuseir.dialects.parsing import parse_module
from fuseir.errors import FuseirError
from fuseir.tools.failures import InternalError
from fuseir.tools.instrumentation import print_module


def check_roundtrip(ctx: Context, module: ModuleOp) -> None:
    """Raise InternalError unless the module comes back equal from its custom and its generic form."""
    for generic in (False, True):
        form = "generic" if generic else "custom"
        printed = print_module(module, generic=generic)
        try:
            back = parse_module(ctx, printed, f"<printed in {form} form>")
        except FuseirError as error:
            message = f"the {form} form does not parse: {error.message}"
            raise InternalError(message, location=error.location, notes=error.notes) from error
        if not module.is_structurally_equivalent(back):
            raise InternalError(f"the module changes when printed in {form} form and parsed")
        if print_module(back, generic=generic) != printed:
            raise InternalError(f"the {form} form prints differently after being parsed")
