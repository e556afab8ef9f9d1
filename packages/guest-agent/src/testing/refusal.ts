/** Why the memory agent refuses a command; becomes an `error` answer. */
export class Refusal extends Error {
  readonly agentClass: string;

  constructor(description: string, agentClass: string = 'GenericError') {
    super(description);
    this.agentClass = agentClass;
  }
}
