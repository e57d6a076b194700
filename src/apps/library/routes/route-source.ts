/** What can be told of the routes of one application; Grace's side is `RegisteredRoutes` in domains/preflight. */
export interface FoundRoutes {
  readonly routes: readonly FoundRoute[];
  /** Prefixes below which there may be more. */
  readonly hidden: readonly string[];
  /** False when there may be more anywhere. */
  readonly isComplete: boolean;
}

export interface FoundRoute {
  /** `*` for all. */
  readonly method: string;
  readonly path: string;
  /** False when something stands in front of it that cannot be told. */
  readonly isWhole: boolean;
}

/** Asked several times: routes are added meanwhile. */
export type RouteSource = () => FoundRoutes;

/** Of one application; Grace takes no more. */
const ROUTES_MAX = 5000;
const HIDDEN_MAX = 200;
const PATH_CHARS_MAX = 500;

/** Gathers routes within these limits; what does not fit makes it incomplete. */
export class RouteList implements FoundRoutes {
  readonly routes: FoundRoute[] = [];
  readonly hidden: string[] = [];
  isComplete = true;
  private readonly seen = new Set<string>();

  get isFull(): boolean {
    return this.routes.length >= ROUTES_MAX;
  }

  add(method: string, path: string, isWhole: boolean): void {
    const name = method.toUpperCase();
    const key = `${name} ${isWhole ? '' : '…'}${path}`;
    if (this.seen.has(key)) return;
    if (this.isFull || path.length > PATH_CHARS_MAX || !/^(?:\*|[A-Z-]{1,20})$/.test(name)) {
      this.isComplete = false;
      return;
    }
    this.seen.add(key);
    this.routes.push({ method: name, path, isWhole });
  }

  /** @param prefix null when that cannot be told */
  hide(prefix: string | null): void {
    if (prefix === null || /^\/*$/.test(prefix) || prefix.length > PATH_CHARS_MAX || this.hidden.length >= HIDDEN_MAX)
      this.isComplete = false;
    else this.hidden.push(prefix);
  }
}
