/** What a server is expected to speak; `tcp`: nothing is known of it, and one that takes the connection is there. */
export type ServerProtocol = 'postgresql' | 'mysql' | 'redis' | 'nats' | 'amqp' | 'http' | 'tls' | 'tcp';

/** Where a server is, and who asks: as the service itself would. It holds the password: never log it. */
export interface ServerQuestion {
  readonly protocol: ServerProtocol;
  /** A host name, an address, or the path of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string | null;
  readonly password: string | null;
  /** The database, the number of it (Redis), or the virtual host (AMQP); the path and query for HTTP. */
  readonly database: string | null;
  /** `prefer`: encrypted where the server can. */
  readonly encryption: 'off' | 'prefer' | 'require';
  /** `name`: the certificate has to be trusted and for this host; `authority`: trusted; `none`: whatever it is. */
  readonly verification: 'name' | 'authority' | 'none';
  /** PEM files; null for the authorities of the machine, and for no certificate of our own. */
  readonly caFile: string | null;
  readonly certFile: string | null;
  readonly keyFile: string | null;
  readonly timeoutMs: number;
}

/** Why a server could not be used. Told apart, because each has another remedy. */
export type ServerFailure =
  | 'refused'
  | 'no_route'
  | 'unknown_host'
  | 'timeout'
  | 'closed'
  | 'too_much'
  | 'other_protocol'
  | 'certificate_expired'
  | 'certificate_not_trusted'
  | 'certificate_other_name'
  | 'encryption'
  | 'login_refused'
  | 'login_missing'
  | 'unknown_database'
  | 'not_ready';

export type ServerAnswer =
  | {
      readonly state: 'answered';
      /** As the server tells it: `PostgreSQL`, `MariaDB`, `Valkey`. */
      readonly product: string;
      /** `16.4`; null where it does not tell. */
      readonly version: string | null;
      /** Its clock minus ours; null where it does not tell the time. */
      readonly clockOffsetMs: number | null;
      /** When its certificate ends; null without encryption. */
      readonly certificateEndsMs: number | null;
    }
  | {
      readonly state: 'failed';
      readonly failure: ServerFailure;
      /** What happened, in our words: nothing a server says is passed on. */
      readonly problem: string;
    };

/**
 * Connects once, logs in, asks for version and time, and closes. Changes nothing. Never throws; the signal ends it at once.
 * Bounded in time and bytes, whatever the server does.
 */
export type AskServer = (question: ServerQuestion, signal: AbortSignal) => Promise<ServerAnswer>;
