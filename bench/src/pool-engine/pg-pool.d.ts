declare module 'pg-pool' {
  /** What is used of pg-pool, which comes without types. */
  class PgPool<Client extends object> {
    constructor(options: {
      readonly min: number;
      readonly max: number;
      readonly connectionTimeoutMillis: number;
      readonly Client: new () => Client;
    });
    connect(): Promise<Client & { release(destroy?: boolean): void }>;
    end(): Promise<void>;
  }
  export = PgPool;
}
