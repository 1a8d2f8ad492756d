"""What source files use of TensorRT's bindings, and what of it there is not: run with the bindings to compare with.

Reads the files with `ast`, follows names from annotations, constructors and what signatures say is returned, and looks
each attribute up in the real classes. Number, names and classes of arguments are held against the signatures that
pybind11 writes into docstrings.
"""

import ast
import json
import re
import sys
from pathlib import Path

import tensorrt as trt

SIGNATURE = re.compile(r"^(?:\d+\. )?(\w+)\((.*)\) -> (.+)$", re.MULTILINE)
WRITTEN_OTHERWISE = {"nvonnxparser::IParserError": "ParserError"}
"""Classes whose C++ name is in signatures, since they are made known to Python after these are written."""


class Thing:
    """What an expression is known to be: the module, a class, an object of a class, or many of one."""

    def __init__(self, what: str, value: object) -> None:
        self.what, self.value = what, value


class Reader(ast.NodeVisitor):
    """Follows one file."""

    def __init__(self) -> None:
        self.used: set[str] = set()
        self.wrong: list[str] = []
        self.names: dict[str, Thing | None] = {}

    def read(self, source: str) -> None:
        tree = ast.parse(source)
        for node in ast.walk(tree):  # what functions return, and attributes of `self`, whatever comes first
            if isinstance(node, ast.FunctionDef) and node.returns is not None:
                self.names[f"{node.name}()"] = self._annotated(node.returns)
            if isinstance(node, ast.FunctionDef):
                for argument in node.args.args:
                    if argument.annotation is not None and (found := self._annotated(argument.annotation)):
                        self.names[argument.arg] = found
        for _ in range(2):  # the second time, with all that was assigned anywhere
            self.wrong.clear()
            self.visit(tree)

    def visit_Assign(self, node: ast.Assign) -> None:
        values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
        for target in node.targets:
            targets = target.elts if isinstance(target, ast.Tuple) else [target]
            if len(targets) == len(values):
                for name, value in zip(targets, values, strict=True):
                    self._assign(name, self._is(value))
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._assign(node.target, self._annotated(node.annotation))
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        many = self._is(node.iter)
        if many is not None and many.what == "many":
            self._assign(node.target, Thing("object", many.value))
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self._is(node)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        self._is(node)
        self.generic_visit(node)

    def _assign(self, target: ast.expr, thing: Thing | None) -> None:
        if isinstance(target, ast.Attribute) and (base := self._is(target.value)) and base.what == "object":
            found = getattr(base.value, target.attr, None)
            if not isinstance(found, property) or found.fset is None:
                self.wrong.append(f"{base.value.__name__}.{target.attr} cannot be set")
        if thing is not None:
            self.names[ast.unparse(target)] = thing

    def _annotated(self, annotation: ast.expr) -> Thing | None:
        text = ast.unparse(annotation)
        found = re.findall(r"trt\.([\w.]+)", text)
        if not found:
            return None
        kind = trt
        for name in found[-1].split("."):
            kind = getattr(kind, name, None)
        if kind is None:
            self.wrong.append(f"there is no trt.{found[-1]}")
            return None
        return Thing("many" if "[" in text else "object", kind)

    def _is(self, node: ast.expr) -> Thing | None:
        if isinstance(node, ast.Name) and node.id == "trt":
            return Thing("module", trt)
        if isinstance(node, ast.Subscript):
            many = self._is(node.value)
            return Thing("object", many.value) if many is not None and many.what == "many" else None
        if isinstance(node, ast.ListComp):
            for part in node.generators:
                self.visit_comprehension(part)
            one = self._is(node.elt)
            return Thing("many", one.value) if one is not None and one.what == "object" else None
        if isinstance(node, ast.Call):
            return self._called(node)
        if isinstance(node, ast.Attribute) and (base := self._is(node.value)):
            return self._member(base, node.attr)
        return self.names.get(ast.unparse(node))

    def _member(self, base: Thing, name: str) -> Thing | None:
        if base.what == "many":
            return None
        where = "trt" if base.what == "module" else base.value.__qualname__
        self.used.add(f"{where}.{name}")
        if not hasattr(base.value, name):
            self.wrong.append(f"there is no {where}.{name}")
            return None
        found = getattr(base.value, name)
        if isinstance(found, type):
            return Thing("class", found)
        if isinstance(found, property):
            return None
        return Thing("function", found) if callable(found) else Thing("object", type(found))

    def _called(self, node: ast.Call) -> Thing | None:
        made = self._is(node.func)
        if made is None:
            return self.names.get(f"{ast.unparse(node.func)}()")
        if made.what not in ("class", "function"):
            return None
        function = made.value.__init__ if made.what == "class" else made.value
        signatures = SIGNATURE.findall(function.__doc__ or "")
        signatures = [(name, parts(given), back) for name, given, back in signatures if "*args" not in given]
        bound = made.what == "class" or not ast.unparse(node.func).endswith("__init__")
        if signatures and not any(self._fits(node, given[bound:]) for _, given, _ in signatures):
            self.wrong.append(f"{ast.unparse(node)} does not fit {[given for _, given, _ in signatures]}")
        if made.what == "class":
            return Thing("object", made.value)
        return next((self._returned(back) for *_, back in signatures), None)

    def _fits(self, call: ast.Call, given: list[str]) -> bool:
        """Say whether a call may be meant for a signature, its `self` left out."""
        if len(call.args) + len(call.keywords) > len(given):
            return False
        names = [parameter.split(":")[0] for parameter in given]
        if any(keyword.arg not in names for keyword in call.keywords):
            return False
        for needed in given[len(call.args) :]:
            if "=" not in needed and needed.split(":")[0] not in [keyword.arg for keyword in call.keywords]:
                return False
        return all(self._may_be(value, parameter) for value, parameter in zip(call.args, given, strict=False))

    def _may_be(self, value: ast.expr, parameter: str) -> bool:
        wanted = self._returned(parameter.partition(": ")[2].partition(" = ")[0])
        found = self._is(value)
        if wanted is None or found is None or found.what != "object":
            return True
        return issubclass(found.value, wanted.value)

    def _returned(self, text: str) -> Thing | None:
        name = WRITTEN_OTHERWISE.get(text, text.removeprefix("tensorrt_bindings.tensorrt."))
        kind = trt
        for part in name.split("."):
            kind = getattr(kind, part, None)
        return Thing("object", kind) if isinstance(kind, type) and name != text else None


def parts(text: str) -> list[str]:
    """Return the parameters of a signature; commas inside brackets do not count."""
    found, depth = [""], 0
    for letter in text:
        depth += (letter in "[(<") - (letter in "])>")
        if letter == "," and not depth:
            found.append("")
        else:
            found[-1] += letter
    return [part.strip() for part in found if part.strip()]


if __name__ == "__main__":
    reader = Reader()
    for path in sys.argv[1:]:
        reader.names.clear()
        wrong = reader.wrong[:]
        reader.read(Path(path).read_text())
        reader.wrong[:0] = wrong
    print(json.dumps({"version": trt.__version__, "used": sorted(reader.used), "wrong": sorted(set(reader.wrong))}))
