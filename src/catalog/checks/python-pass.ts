import { PYTHON_LIMITS } from './python-limits.ts';

/**
 * What the service's own interpreter is asked. It reads JSON from stdin and writes one line of JSON; nothing of the service is executed,
 * and nothing is written. Started with `-I`, so that a `json.py` of the project is not what `import json` finds here.
 *
 * From the entry points it follows imports that are sure to run: statements at the top of a module. Those in `try`, `if`, a function or a
 * class are optional. Of a dotted name only the first part is looked up by the import system, which executes nothing; the rest is
 * looked for as files below it, since the import system would execute each parent. Where a module changes the search path or the
 * modules themselves, nothing is said of imports; where it does what may change them, nothing is certain.
 *
 * It is nice to the service, which starts meanwhile, and ends with what it has when its time is over. Runs on Python 3.7 and later.
 */
export const PYTHON_PASS = String.raw`
import ast, importlib.machinery, importlib.util, json, os, site, sys, time, warnings
${PYTHON_LIMITS}
FILES_MAX, BYTES_MAX, PROBLEMS_MAX, REACHED_SECONDS, ALL_SECONDS = 2000, 512 * 1024, 40, 6, 7
SKIPPED = {"node_modules", "site-packages", "dist-packages", "__pycache__", "build", "dist", "fixtures", "testdata", "test_data", "templates"}
order = json.load(sys.stdin)
cwd = os.path.realpath(order["cwd"])
if order["userSite"]:
    try:
        site.addsitedir(site.getusersitepackages())
    except Exception:
        pass
sys.path[:0] = [os.path.normpath(os.path.join(cwd, p)) for p in order["paths"]]
problems, seen, known, locations = [], set(), {}, {}
sure = True

def is_own(path):
    if not path or not path.endswith(".py"):
        return False
    inner = os.path.realpath(path)
    if not inner.startswith(cwd + os.sep):
        return False
    parts = inner[len(cwd) + 1:].split(os.sep)
    if any(p in ("site-packages", "dist-packages", "node_modules") for p in parts):
        return False
    return not inner.startswith(os.path.realpath(sys.prefix) + os.sep) or os.path.realpath(sys.prefix) == cwd

def tell(kind, path, line, column, name, certain):
    if len(problems) < PROBLEMS_MAX:
        problems.append({"kind": kind, "file": path[:1000], "line": line or None, "column": column or None, "name": name[:200], "certain": certain})

def read(path, certain):
    try:
        if os.path.getsize(path) > BYTES_MAX:
            return None
        with open(path, "rb") as file:
            source = file.read(BYTES_MAX)
    except OSError:
        return None
    # an archive that Python runs as it is: python3 app.pyz
    if source[:2] == b"PK" or b"\0" in source:
        return None
    if not certain and (b"{{" in source or b"{%" in source):
        return None
    try:
        if not certain:
            compile(source, path, "exec", dont_inherit=True)
            return None
        tree = ast.parse(source, path)
        compile(tree, path, "exec", dont_inherit=True)
        return source, tree
    except SyntaxError as error:
        tell("syntax", path, error.lineno, error.offset, type(error).__name__ + ": " + str(error.msg), certain)
    except (ValueError, RecursionError, MemoryError, OverflowError):
        pass
    return None

def top(name):
    if name not in known:
        try:
            known[name] = importlib.util.find_spec(name)
        except Exception:
            known[name] = False
    return known[name]

def below(name, where):
    """None: sure to be missing; False: cannot be told. By its last part alone: of a folder without __init__.py the import system
    would ask for the parent, which is not executed here."""
    try:
        return importlib.machinery.PathFinder.find_spec(name.rpartition(".")[2], where)
    except Exception:
        return False

def is_dynamic(spec):
    try:
        with open(spec.origin, "rb") as file:
            text = file.read(BYTES_MAX)
        return b"__path__" in text or b"__getattr__" in text or b"sys.modules" in text
    except Exception:
        return False

def walk(name, queue):
    """Finds a module by its dotted name, and the files that importing it executes. None: sure to be missing; False: cannot be told."""
    parts = name.split(".")
    spec = top(parts[0])
    if spec is None or spec is False:
        return spec
    for at in range(1, len(parts) + 1):
        whole = ".".join(parts[:at])
        where = list(spec.submodule_search_locations or []) if spec.submodule_search_locations is not None else None
        locations[whole] = where
        own = is_own(spec.origin) or (spec.origin is None and where and all(os.path.realpath(w).startswith(cwd + os.sep) for w in where))
        if spec.origin and is_own(spec.origin):
            queue.append((spec.origin, whole if where is not None else whole.rpartition(".")[0]))
        if at == len(parts):
            return spec
        if not own:
            return False
        if where is None:
            return None
        child = below(".".join(parts[:at + 1]), where)
        if child is None:
            return False if is_dynamic(spec) else None
        if child is False:
            return False
        spec = child
    return spec

# what may change the search path without a word of it, and what may write a module
HOOKS = {"imp", "importlib", "pkg_resources", "pkgutil", "runpy", "site", "zipimport"}
CALLS = {"exec", "eval", "execfile", "__import__"}
MAKES = {"mkdir", "makedirs", "write_text", "write_bytes", "symlink", "symlink_to", "run", "call", "check_call", "check_output", "Popen", "system", "copy", "copyfile", "copytree", "extractall", "urlretrieve"}

def hooks(tree):
    """The first line of what may change how modules are found; None where nothing does."""
    first = None
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [a.name for a in node.names] + ["site" for a in node.names if a.name == "sys" and a.asname]
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names = [node.module] + [node.module + "." + a.name for a in node.names]
            if node.module == "sys" and any(a.name in ("path", "modules", "path_hooks", "*") for a in node.names):
                names.append("site")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in CALLS:
                names = ["site"]
            elif node.func.id in ("getattr", "vars", "setattr") and node.args and isinstance(node.args[0], ast.Name) and node.args[0].id == "sys":
                names = ["site"]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "sys" and node.attr == "__dict__":
            names = ["site"]
        if any(n.split(".")[0] in HOOKS and not n.startswith(("importlib.metadata", "importlib.resources")) and n != "importlib" for n in names) or (
            isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "importlib" and node.attr not in ("metadata", "resources")
        ):
            first = node.lineno if first is None else min(first, node.lineno)
    return first

def makes(tree):
    """The first line at the top that may write a file, such as a module; None where nothing does."""
    for statement in tree.body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        for node in ast.walk(statement):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr if isinstance(node.func, ast.Attribute) else ""
            if name in MAKES or (name == "open" and (len(node.args) > 1 or node.keywords)):
                return statement.lineno
    return None

def imports(tree):
    for node in tree.body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node, 0, alias.name, []
        elif isinstance(node, ast.ImportFrom) and node.module != "__future__":
            yield node, node.level, node.module or "", [a.name for a in node.names if a.name != "*"]

queue, missing, hooked, made = [], [], {}, {}
for folder in sys.path[:len(order["paths"])]:
    if os.path.isfile(os.path.join(folder, "sitecustomize.py")) or os.path.isfile(os.path.join(folder, "usercustomize.py")):
        hooked[folder] = 0
for root in order["roots"]:
    if root["kind"] == "file":
        path = os.path.join(cwd, root["name"])
        if os.path.isfile(path):
            queue.append((path, None))
    else:
        found = walk(root["name"], queue)
        if found is None:
            missing.append(("", None, root["name"]))
        elif found and root.get("main") and found.submodule_search_locations is not None:
            inner = walk(root["name"] + ".__main__", queue)
while queue and len(seen) < FILES_MAX and time.monotonic() - began < REACHED_SECONDS:
    path, package = queue.pop(0)
    real = os.path.realpath(path)
    if real in seen:
        continue
    seen.add(real)
    got = read(path, True)
    if got is None:
        continue
    source, tree = got
    if b"sys.path" in source or b"addsitedir" in source or b"sys.modules" in source or b"meta_path" in source:
        sure = False
    hooked[path], made[path] = hooks(tree), makes(tree)
    for node, level, name, names in imports(tree):
        if level:
            if not package:
                continue
            base = package.split(".")
            base = base[:len(base) - level + 1]
            if not base:
                continue
            name = ".".join(base + ([name] if name else []))
        found = walk(name, queue)
        if found is None:
            missing.append((path, node.lineno, name))
        elif found and found.submodule_search_locations is not None and (is_own(found.origin) or found.origin is None):
            for one in names:
                if below(name + "." + one, list(found.submodule_search_locations)):
                    walk(name + "." + one, queue)
# what was not read may change where modules are looked for
if sure and not queue:
    told = set()
    for path, line, name in missing:
        if name not in told:
            told.add(name)
            others = any(at is not None and (file != path or at < (line or 0)) for file, at in hooked.items())
            tell("module", path, line, None, name, not others and not (made.get(path) or line or 0) < (line or 0))
reached, others = len(seen), 0
for folder, folders, files in os.walk(cwd):
    folders[:] = sorted(f for f in folders if f not in SKIPPED and not f.startswith(".") and not os.path.exists(os.path.join(folder, f, "pyvenv.cfg")))
    for name in sorted(files):
        path = os.path.join(folder, name)
        if others >= FILES_MAX or time.monotonic() - began > ALL_SECONDS:
            break
        if name.endswith(".py") and os.path.realpath(path) not in seen:
            others += 1
            read(path, False)
print("\n" + json.dumps({"version": "%d.%d.%d" % sys.version_info[:3], "reached": reached, "others": others, "problems": problems}))
`;
