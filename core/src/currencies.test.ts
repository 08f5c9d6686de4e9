import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CURRENCIES, minorUnitOf } from './currencies.ts';

test('currencies have the decimals that the platform knows, which leaves some out that nobody uses', () => {
  for (const [currency, digits] of CURRENCIES) {
    const format = new Intl.NumberFormat('en', { style: 'currency', currency });
    const shown = format.resolvedOptions().maximumFractionDigits!;
    assert.ok(digits === shown || (shown === 0 && digits > 0), `${currency}: ${digits}, shown with ${shown}`);
  }
});

test('currencies with other than two decimals are those of ISO 4217', () => {
  const unusual = [...CURRENCIES].filter(([, digits]) => digits !== 2).map(([code]) => code);
  assert.equal(unusual.length, 17 + 7 + 2);
  assert.equal(CURRENCIES.get('JPY'), 0);
  assert.equal(CURRENCIES.get('KWD'), 3);
  assert.equal(CURRENCIES.get('UYW'), 4);
});

test('every code is three capitals, named once', () => {
  assert.ok([...CURRENCIES.keys()].every((code) => /^[A-Z]{3}$/.test(code)));
  assert.equal(CURRENCIES.size, 165);
});

test('what is no money, or only looks like a code, is no currency', () => {
  for (const code of ['XAU', 'XDR', 'XXX', 'XTS', 'DEM', 'eur', 'EU', 'EURO', '', 'BTC', '€']) {
    assert.equal(CURRENCIES.get(code), undefined, code);
  }
});

test('the minor unit is told in words', () => {
  assert.equal(minorUnitOf('EUR'), 'hundredths of EUR (it has 2 decimals)');
  assert.equal(minorUnitOf('JPY'), 'JPY (it has no decimals)');
  assert.equal(minorUnitOf('KWD'), 'thousandths of KWD (it has 3 decimals)');
});
