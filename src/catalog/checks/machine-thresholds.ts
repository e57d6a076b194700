// From where on the machine is too small, in one place. Errors only where something is sure to fail; the rest are warnings.

const MIB = 1024 * 1024;

/** Sixteen blocks: the log takes them with its first lines, and no database opens a journal in less. */
export const DISK_BYTES_FULL = 64 * 1024;
/** A few rotations of a log and an install of packages fit in; below it an ordinary day fills the disk. */
export const DISK_BYTES_LOW = 200 * MIB;
/** A small volume may be meant to be small: then a twentieth of it counts. */
export const DISK_RATIO_LOW = 0.05;
/** One install of packages makes ten thousand files; log rotation and sessions need a few hundred at least. */
export const INODES_LOW = 1000;

/** Node 26 with fewer ends before its first line; measured. */
export const OPEN_FILES_TO_START = 22;
/** The default of every Linux; a server with fewer refuses its customers early. */
export const OPEN_FILES_LOW = 1024;
/** Of the whole machine: what is left when one of its programs opens as many as a usual limit allows. */
export const OPEN_FILES_OF_ALL_LOW = 1024;

/** Node, Python and Ruby need 40 to 60 MiB each before the first line of a service. */
export const MEMORY_BYTES_LOW = 64 * MIB;
/** What Node has beside its heap: code, buffers, threads. */
export const BESIDE_HEAP_BYTES = 48 * MIB;
/** Node reserves about this much address space beforehand, which a kernel that promises nothing twice counts. */
export const COMMIT_BYTES_LOW = 1024 * MIB;

/** Node starts about ten threads, and each helper command of Grace is one more. */
export const TASKS_LOW = 32;

/** Older than this source: certificates of today are not valid yet then. */
export const YEAR_MIN = 2025;
/** Beyond it dates do not fit into what certificates and many programs have for them. */
export const YEAR_MAX = 2099;
/** Time zones written as local time, and clocks of two machines, differ by less. */
export const FUTURE_MS = 25 * 3_600_000;

/** The kernel's default before version 5.11; a project with its packages has more folders than that. */
export const WATCHES_LOW = 8192 + 1;
/** The kernel's default; editors and watchers of one developer fit in. */
export const WATCH_INSTANCES_LOW = 128;
