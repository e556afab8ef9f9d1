/** A place in a {@link WaiterRank}; kept by the rank alone. */
export interface Ranked<Self> {
  previous: Self | undefined;
  next: Self | undefined;
}

/** Callers of one priority, in order of arrival: a linked list whose members are their own links. */
export class WaiterRank<Member extends Ranked<Member>> {
  readonly priority: number;
  head: Member | undefined = undefined;
  #tail: Member | undefined = undefined;
  /** Grants that went to other ranks since the first of this one could have had one. */
  passedOver = 0;

  constructor(priority: number) {
    this.priority = priority;
  }

  push(member: Member): void {
    member.previous = this.#tail;
    if (this.#tail === undefined) this.head = member;
    else this.#tail.next = member;
    this.#tail = member;
  }

  remove(member: Member): void {
    const { previous, next } = member;
    if (previous === undefined) this.head = next;
    else previous.next = next;
    if (next === undefined) this.#tail = previous;
    else next.previous = previous;
    member.previous = undefined;
    member.next = undefined;
    if (this.head === undefined) this.passedOver = 0;
  }
}
