import { createHmac } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { inTransaction } from './transaction.ts';

export type OrderState = 'accepted' | 'packed' | 'shipped';

export interface NewOrder {
  readonly customer: string;
  readonly item: string;
  readonly quantity: number;
  /** 0 is ordinary, 9 is packed first. */
  readonly priority: number;
}

export interface Order extends NewOrder {
  readonly id: number;
  readonly state: OrderState;
  readonly createdAt: string;
}

export interface OrderEvent {
  readonly state: OrderState;
  readonly at: string;
}

/** The customer in whose name the smoke check orders; only such orders can be deleted. */
export const smokeCustomer = 'smoke-check';

const nextState = { accepted: 'packed', packed: 'shipped' } as const;
const columns = 'id, customer, item, quantity, priority, state, created_at AS createdAt';

/** The orders of one database. Every change of state writes its event and its signed webhook with it, or nothing. */
export class Orders {
  readonly #database: DatabaseSync;
  readonly #signingKey: string;

  constructor(database: DatabaseSync, signingKey: string) {
    this.#database = database;
    this.#signingKey = signingKey;
  }

  /** Returns once the order is on disk, so whoever acknowledges it afterwards acknowledges a fact. */
  accept({ customer, item, quantity, priority }: NewOrder): Order {
    const createdAt = new Date().toISOString();
    const insert = `INSERT INTO orders (customer, item, quantity, priority, state, created_at)
                    VALUES (?, ?, ?, ?, 'accepted', ?)`;
    return inTransaction(this.#database, () => {
      const { lastInsertRowid } = this.#database.prepare(insert).run(customer, item, quantity, priority, createdAt);
      const id = Number(lastInsertRowid);
      this.#record(id, 'accepted', createdAt);
      return { id, customer, item, quantity, priority, state: 'accepted', createdAt };
    });
  }

  /**
   * Moves an order one state on: accepted to packed, packed to shipped.
   * @returns false when it is no longer in `from`: another worker was there first, or it was deleted
   */
  advance(id: number, from: keyof typeof nextState): boolean {
    const to = nextState[from];
    const update = 'UPDATE orders SET state = ? WHERE id = ? AND state = ?';
    return inTransaction(this.#database, () => {
      if (this.#database.prepare(update).run(to, id, from).changes === 0) return false;
      this.#record(id, to, new Date().toISOString());
      return true;
    });
  }

  /** Ids of the orders in a state, the most urgent first. */
  idsIn(state: OrderState, limit: number): readonly number[] {
    const select = 'SELECT id FROM orders WHERE state = ? ORDER BY priority DESC, id LIMIT ?';
    return (this.#database.prepare(select).all(state, limit) as unknown as readonly { id: number }[]).map(({ id }) => id);
  }

  find(id: number): Order | undefined {
    return this.#database.prepare(`SELECT ${columns} FROM orders WHERE id = ?`).get(id) as unknown as Order | undefined;
  }

  /** A page of orders by ascending id, those after `afterId`. */
  list(afterId: number, limit: number): readonly Order[] {
    const select = `SELECT ${columns} FROM orders WHERE id > ? ORDER BY id LIMIT ?`;
    return this.#database.prepare(select).all(afterId, limit) as unknown as readonly Order[];
  }

  count(): number {
    return (this.#database.prepare('SELECT count(*) AS total FROM orders').get() as unknown as { total: number }).total;
  }

  eventsOf(id: number): readonly OrderEvent[] {
    const select = 'SELECT state, at FROM order_events WHERE order_id = ? ORDER BY id';
    return this.#database.prepare(select).all(id) as unknown as readonly OrderEvent[];
  }

  /** Deletes an order with its events and webhooks; false when it is not one of the smoke check's. */
  deleteSmokeOrder(id: number): boolean {
    const remove = 'DELETE FROM orders WHERE id = ? AND customer = ?';
    return this.#database.prepare(remove).run(id, smokeCustomer).changes === 1;
  }

  #record(orderId: number, state: OrderState, at: string): void {
    const payload = JSON.stringify({ event: `order.${state}`, orderId, at });
    const signature = `sha256=${createHmac('sha256', this.#signingKey).update(payload).digest('hex')}`;
    this.#database.prepare('INSERT INTO order_events (order_id, state, at) VALUES (?, ?, ?)').run(orderId, state, at);
    this.#database
      .prepare('INSERT INTO outbox (order_id, event, payload, signature, created_at) VALUES (?, ?, ?, ?, ?)')
      .run(orderId, `order.${state}`, payload, signature, at);
  }
}

/** Reads an order as a client sent it: the order, or every mistake in it. */
export function parseNewOrder(input: unknown): { readonly order: NewOrder } | { readonly mistakes: readonly string[] } {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return { mistakes: ['must be an object'] };
  const { customer, item, quantity, priority = 0, ...unknownFields } = input as Record<string, unknown>;
  const mistakes = Object.keys(unknownFields).map((name) => `${name} is not a field of an order`);
  if (!isText(customer)) mistakes.push('customer must be text of 1 to 200 characters');
  if (!isText(item)) mistakes.push('item must be text of 1 to 200 characters');
  if (!isWhole(quantity, 1, 1_000)) mistakes.push('quantity must be a whole number from 1 to 1000');
  if (!isWhole(priority, 0, 9)) mistakes.push('priority must be a whole number from 0 to 9');
  return mistakes.length > 0 ? { mistakes } : { order: { customer, item, quantity, priority } as NewOrder };
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.trim().length > 0 && value.length <= 200;
}

function isWhole(value: unknown, min: number, max: number): boolean {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
}
