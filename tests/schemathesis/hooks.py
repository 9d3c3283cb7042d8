# A cursor cannot be made up: one that is asked for as if it were right is taken out. Those that are to be wrong stay; ours are followed in
# tests/tests/whole/api.rs.
import schemathesis
from schemathesis.generation.modes import GenerationMode


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta and case.meta.generation.mode == GenerationMode.POSITIVE and case.query:
        case.query.pop("cursor", None)
