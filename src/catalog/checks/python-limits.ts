/**
 * How a program begins that looks at a service's Python: it is nice to the service, takes at most 2 GiB, warns of nothing, and knows when it
 * began (`began`, monotonic seconds). After `import os, time, warnings`.
 */
export const PYTHON_LIMITS = String.raw`began = time.monotonic()
warnings.simplefilter("ignore")
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
except Exception:
    pass
try:
    os.nice(10)
except OSError:
    pass`;
