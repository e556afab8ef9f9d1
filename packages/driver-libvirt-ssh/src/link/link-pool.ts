import { type Clock, JoinedJobs } from '@warmvm/core/driver';
import type { ConfigPlace } from '../config/host-config.ts';
import type { ParsedSshOptions } from '../options/parse-options.ts';
import { sshError } from '../problem.ts';
import { type Hop, resolveHops } from './hop.ts';
import { SshLink } from './ssh-link.ts';

/** What a server says to a session more than it allows (`MaxSessions`, 10 by default). */
const SERVER_REFUSES = /open failure|open failed/i;

/** A connection to the host and those on the way, which end with it. */
interface Route {
  readonly link: SshLink;
  readonly all: readonly SshLink[];
  /** Sessions that the server takes on this connection, once it has refused one. */
  mostSessions: number;
}

/** ssh connections to one host: a few, each with many channels. */
export class LinkPool {
  readonly #options: ParsedSshOptions;
  readonly #place: ConfigPlace;
  readonly #clock: Clock;
  readonly #opening = new JoinedJobs<Route>();
  readonly #routes: Route[] = [];
  #disposed = false;

  constructor(options: ParsedSshOptions, place: ConfigPlace) {
    this.#options = options;
    this.#place = place;
    this.#clock = options.clock;
  }

  /** Connections that are open, those on the way included. */
  get connections(): number {
    return this.#routes.reduce((total, { all }) => total + all.length, 0);
  }

  /** Opens a channel that is no session on any connection. */
  withLink<Result>(signal: AbortSignal, use: (link: SshLink) => Promise<Result>): Promise<Result> {
    return this.#with(signal, () => true, use);
  }

  /** Opens a session on a connection that has room for one; on a further connection where the server takes no more. */
  withSession<Result>(signal: AbortSignal, use: (link: SshLink) => Promise<Result>): Promise<Result> {
    return this.#with(
      signal,
      ({ link, mostSessions }) => link.sessions < mostSessions,
      use,
      (route, others, error) => {
        const isFull = others > 0 && error instanceof Error && SERVER_REFUSES.test(error.message);
        if (isFull) route.mostSessions = Math.min(route.mostSessions, others);
        return isFull;
      },
    );
  }

  async #with<Result>(
    signal: AbortSignal,
    isFit: (route: Route) => boolean,
    use: (link: SshLink) => Promise<Result>,
    isFull: (route: Route, others: number, error: unknown) => boolean = () => false,
  ): Promise<Result> {
    for (;;) {
      const present = this.#routes.find(isFit);
      const route = present ?? (await this.#open(signal));
      const { link } = route;
      const others = link.sessions;
      try {
        return await use(link);
      } catch (error) {
        if (signal.aborted) throw error;
        if (isFull(route, others, error)) continue;
        if (!link.isOver) throw error;
        this.#drop(route);
        // One that was found dead is replaced; one that breaks as soon as it is made is a fault of the host.
        if (present === undefined) {
          const { host, port } = link.hop;
          throw sshError('link-lost', `the ssh connection to ${host}:${port} broke`, { host, port }, error);
        }
      }
    }
  }

  /** Ends all connections. Idempotent; none is made afterwards. */
  close(): void {
    this.#disposed = true;
    for (const { all } of this.#routes.splice(0)) for (const link of [...all].reverse()) link.close();
  }

  #open(signal: AbortSignal): Promise<Route> {
    const { maxConnections, host } = this.#options;
    if (this.#disposed) throw sshError('link-lost', `the dialer for ${host} has been disposed`, { host });
    if (this.#routes.length >= maxConnections) {
      const remedy = 'raise MaxSessions of its sshd, or maxConnections here';
      throw sshError('no-way', `${host} takes no more sessions on ${maxConnections} connections`, {
        host,
        maxConnections,
        remedy,
      });
    }
    return this.#opening.join('route', signal, (joined) => this.#openRoute(joined));
  }

  async #openRoute(signal: AbortSignal): Promise<Route> {
    const hops = await resolveHops(this.#options, this.#place);
    const all: SshLink[] = [];
    try {
      for (const hop of hops) all.push(await this.#next(hop, all.at(-1), signal));
      if (this.#disposed) throw sshError('link-lost', 'the dialer has been disposed', {});
    } catch (error) {
      for (const link of all.reverse()) link.close();
      throw error;
    }
    const route: Route = { link: all.at(-1) as SshLink, all, mostSessions: Number.POSITIVE_INFINITY };
    this.#routes.push(route);
    for (const link of all) void link.closed.then(() => this.#drop(route));
    return route;
  }

  #next(hop: Hop, before: SshLink | undefined, signal: AbortSignal): Promise<SshLink> {
    return SshLink.open(hop, this.#options, before, this.#clock, signal);
  }

  #drop(route: Route): void {
    const index = this.#routes.indexOf(route);
    if (index >= 0) this.#routes.splice(index, 1);
    for (const link of [...route.all].reverse()) link.close();
  }
}
