import { PYTHON_LIMITS } from '../catalog/checks/python-limits.ts';

/**
 * What the service's own interpreter is asked: for each of its files the asynchronous functions, and the calls whose coroutine
 * nothing takes (`ModuleCalls`). It reads JSON from stdin and writes one line of JSON; nothing of the service is executed, nothing is
 * written. Started with `-I`. A function with a decorator that is not known may be anything, and is left out; so are generators,
 * whose call starts nothing. Of imports only those are told that may be the service's own; an answer that would be too long to be taken
 * is cut after a file. Runs on Python 3.7 and later.
 */
export const PYTHON_CALLS = String.raw`
import ast, json, os, sys, time, warnings
${PYTHON_LIMITS}
BYTES_MAX, CALLS_MAX, SECONDS, ANSWER_MAX = 512 * 1024, 200, 6, 60_000
HARMLESS = {"staticmethod", "classmethod", "abstractmethod", "override", "final", "overload"}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
order = json.load(sys.stdin)
own = set(order["own"])

def within(node):
    """All nodes of a function, not those of functions and classes in it."""
    stack = list(ast.iter_child_nodes(node))
    while stack:
        one = stack.pop()
        yield one
        if not isinstance(one, FUNCTIONS + (ast.Lambda, ast.ClassDef)):
            stack.extend(ast.iter_child_nodes(one))

def is_async(node):
    if not isinstance(node, ast.AsyncFunctionDef):
        return False
    for one in node.decorator_list:
        if (one.id if isinstance(one, ast.Name) else one.attr if isinstance(one, ast.Attribute) else "") not in HARMLESS:
            return False
    return not any(isinstance(one, (ast.Yield, ast.YieldFrom)) for one in within(node))

def made_of(node):
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else None

class Module:
    def __init__(self):
        self.asyncs, self.classes, self.instances, self.imports, self.dropped, self.unsure = set(), set(), {}, [], [], set()

    def bind(self, name, value):
        made = made_of(value)
        if made is None or self.instances.get(name, made) != made or name in self.asyncs:
            self.unsure.add(name)
        else:
            self.instances[name] = made

    def define(self, body, owner):
        for node in body:
            if isinstance(node, FUNCTIONS):
                name = owner + node.name
                if is_async(node) and name not in self.asyncs:
                    self.asyncs.add(name)
                else:
                    self.unsure.add(name)
            elif isinstance(node, ast.ClassDef) and not owner:
                self.classes.add(node.name)
                self.define(node.body, node.name + ".")
            elif isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        self.bind(owner + target.id, node.value)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
                self.bind(owner + node.target.id, node.value)
            elif not owner and isinstance(node, (ast.If, ast.Try)):
                self.define(node.body + node.orelse, owner)

    def importing(self, tree):
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for one in node.names:
                    if one.asname or "." not in one.name:
                        self.importing_from(one.asname or one.name, one.name, "*")
            elif isinstance(node, ast.ImportFrom):
                for one in node.names:
                    if one.name != "*":
                        self.importing_from(one.asname or one.name, "." * node.level + (node.module or ""), one.name)

    def importing_from(self, here, module, there):
        if module.startswith(".") or module.split(".")[0] in own:
            self.imports.append((here, module, there))

    def visit(self, node, owner, hidden, me):
        if isinstance(node, ast.ClassDef):
            for one in node.body:
                self.visit(one, node.name, hidden, None)
            return
        if isinstance(node, FUNCTIONS):
            a = node.args
            params = [p.arg for p in getattr(a, "posonlyargs", []) + a.args + a.kwonlyargs + [x for x in (a.vararg, a.kwarg) if x]]
            inner = list(within(node))
            shared = {n for one in inner if isinstance(one, (ast.Global, ast.Nonlocal)) for n in one.names}
            own = {one.id for one in inner if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
            own |= {one.name for one in inner if isinstance(one, FUNCTIONS + (ast.ClassDef,))}
            first = params[0] if owner and params and me is None else me
            hidden = hidden | set(params) | (own - shared)
            loads = {}
            for one in ast.walk(node):
                if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load):
                    loads[one.id] = loads.get(one.id, 0) + 1
            for one in inner:
                # kept under a name that nobody reads
                if isinstance(one, ast.Assign) and len(one.targets) == 1 and isinstance(one.targets[0], ast.Name) and one.targets[0].id not in loads and one.targets[0].id not in shared:
                    self.drop(one.value, owner, hidden, first)
            for one in node.body:
                self.visit(one, owner, hidden, first)
            return
        if isinstance(node, ast.Expr):
            self.drop(node.value, owner, hidden, me)
        if isinstance(node, ast.Assign) and owner and me:
            for target in node.targets:
                if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == me:
                    self.bind(owner + "." + target.attr, node.value)
        for one in ast.iter_child_nodes(node):
            self.visit(one, owner, hidden, me)

    def drop(self, node, owner, hidden, me):
        if not isinstance(node, ast.Call) or len(self.dropped) >= CALLS_MAX:
            return
        func, callee = node.func, None
        if isinstance(func, ast.Name) and func.id not in hidden:
            callee = [func.id]
        elif isinstance(func, ast.Attribute):
            base = func.value
            if isinstance(base, ast.Name):
                if owner and base.id == me:
                    callee = [owner, func.attr]
                elif base.id not in hidden:
                    callee = [base.id, func.attr]
            elif isinstance(base, ast.Attribute) and isinstance(base.value, ast.Name) and owner and base.value.id == me:
                callee = [owner + "." + base.attr, func.attr]
        if callee is not None and all(len(c) <= 200 for c in callee):
            self.dropped.append({"callee": callee, "line": node.lineno})

def facts(path):
    with open(path, "rb") as file:
        source = file.read(BYTES_MAX + 1)
    if len(source) > BYTES_MAX:
        return None
    tree = ast.parse(source, "module")
    found = Module()
    found.importing(tree)
    found.define(tree.body, "")
    found.visit(tree, "", frozenset(), None)
    known = found.asyncs | found.classes | set(found.instances) | {one[0] for one in found.imports}
    found.dropped = [one for one in found.dropped if one["callee"][0] in known]
    sure = lambda names: sorted(n for n in names if n not in found.unsure)
    return {
        "asyncs": sure(found.asyncs), "classes": sorted(found.classes),
        "instances": [[n, found.instances[n]] for n in sure(found.instances)],
        "imports": found.imports, "exports": [], "dropped": found.dropped,
    }

answer, size = {}, 0
for path in order["files"]:
    if time.monotonic() - began > SECONDS:
        break
    try:
        found = None if os.path.islink(path) else facts(path)
    except Exception:
        continue
    # of more nobody would hear
    size += len(json.dumps(found)) + len(path) + 8
    if size > ANSWER_MAX:
        break
    answer[path] = found
print("\n" + json.dumps(answer))
`;
