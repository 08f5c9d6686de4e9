// Money: exact integers of a currency's minor unit. No floats, no implicit currency.

/** An amount in minor units (cents for EUR, yen for JPY) and its ISO 4217 code. */
export interface Money {
  readonly amount: number;
  readonly currency: string;
}

const CURRENCY = /^[A-Z]{3}$/;

/** Money of a currency. Throws RangeError when the amount is no safe integer or the code no ISO 4217 form. */
export function money(amount: number, currency: string): Money {
  if (!Number.isSafeInteger(amount)) throw new RangeError(`${amount} is not an exact number of minor units`);
  if (!CURRENCY.test(currency)) throw new RangeError(`"${currency}" is not a currency code such as EUR`);
  return { amount, currency };
}

/** The sum of two amounts. Throws RangeError when currencies differ or the sum is no longer exact. */
export function addMoney(a: Money, b: Money): Money {
  if (a.currency !== b.currency) throw new RangeError(`cannot add ${b.currency} to ${a.currency}`);
  return money(a.amount + b.amount, a.currency);
}

/** `quantity` times the unit price. Throws RangeError when the product is no longer exact. */
export function timesMoney(unitPrice: Money, quantity: number): Money {
  return money(unitPrice.amount * quantity, unitPrice.currency);
}
