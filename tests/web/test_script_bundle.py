"""The page's modules as one script: the forms that are known, and a refusal of all others."""

import pytest
from stimbench.errors import BenchError
from stimbench.web.script_bundle import bundled


def made_of(**modules):
    return bundled("app.js", lambda path: modules[path.removesuffix(".js").replace("/", "_")])


def test_each_module_is_called_once_and_before_those_that_import_it():
    script = made_of(
        app='import { one, two as second } from "./part.js";\nimport * as all from "./views/run.js";',
        part="export const one = 1;\nexport function two() {}\nexport class Three {}\n"
        "export async function f() {}",
        views_run='import { one } from "../part.js";\nexport const title = one;',
    )
    assert script.count("const $part = ") == 1
    assert (
        script.index("const $part = ") < script.index("const $views_run = ") < script.index("const $app = ")
    )
    assert "const { one, two: second } = $part;" in script
    assert "const all = $views_run;" in script
    assert "return { one, two, Three, f };" in script
    assert "export" not in script


def test_a_default_export_is_imported_by_its_name():
    script = made_of(
        app='import uPlot from "/vendor/uplot.js";',
        _vendor_uplot="/*\nexport function old() {}\n*/\nexport { a as default };",
    )
    assert "const { default: uPlot } = $_vendor_uplot;" in script
    assert "return { default: a };" in script


@pytest.mark.parametrize(
    "text",
    [
        "export default 5;",
        'import "./part.js";',
        "  const later = await import(`./views/${name}.js`);",
        "const here = import.meta.url;",
        'export * from "./part.js";',
        "import { a,\n  b } from './part.js';",
    ],
)
def test_what_is_not_known_is_refused(text):
    with pytest.raises(BenchError, match="unknown form"):
        made_of(app=text, part="")


def test_a_ring_is_refused():
    with pytest.raises(BenchError, match="imports itself"):
        made_of(app='import { a } from "./part.js";', part='import { b } from "./app.js";')
