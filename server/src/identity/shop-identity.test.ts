// Every credential, and every way to forge one, by name: what is good opens as whom it should, all else is refused with
// words that never repeat the credential.
import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, hash } from 'node:crypto';
import { test } from 'node:test';
import type { Actor, BadCredential } from '@floodgate/core/actor.ts';
import fc from 'fast-check';
import { forgeJwt, jsonPart, withOtherCharacter, withPart } from '../../test/kit/forge.ts';
import type { StaffKey } from './identity.ts';
import { type IdentityOptions, ShopIdentity } from './shop-identity.ts';

const NOW_MS = 1_800_000_000_000;
const NOW_S = NOW_MS / 1_000;
const API_KEY = 'identity-test-admin-key';
const SECRET = 'secret-number-one-of-32-characters';
const FORMER = 'secret-number-two-of-32-characters';
const STRANGE = 'a-secret-that-is-not-one-of-the-shop';
const SECRETS = [
  { kid: 'new', secret: SECRET },
  { kid: 'old', secret: FORMER },
];
const HOUR_MS = 3_600_000;

const open = (jwt: Partial<IdentityOptions['jwt']> = {}, apiKey = API_KEY) =>
  new ShopIdentity({
    apiKey,
    jwt: { secrets: SECRETS, issuer: undefined, audience: undefined, ...jwt },
    sessionMs: HOUR_MS,
  });

const ask = async (shop: ShopIdentity, bearer: string, nowMs = NOW_MS) =>
  shop.whoIs({ bearer, session: undefined }, nowMs);

const good = { sub: 'ann', exp: NOW_S + 60 };
const sign = (claims: object, header: object = {}, secret = SECRET) =>
  forgeJwt({ ...good, ...claims }, { secret, header: { ...header } });

function staffKey(shop: ShopIdentity, keyId: string, changes: Partial<StaffKey> = {}) {
  const { key, hash } = shop.newKey(keyId);
  const kept = { keyId, name: 'Box office', role: 'box-office', hash, createdAtMs: NOW_MS } as const;
  shop.admit({ ...kept, expiresAtMs: null, revokedAtMs: null, ...changes });
  return key;
}

const buyer = (name: string): Actor => ({ kind: 'buyer', buyer: name });
const staff = (role: 'admin' | 'box-office' | 'door' | 'read', name: string): Actor => ({
  kind: 'staff',
  role,
  name,
});

/** Good credentials, and whom they open as. */
const GOOD: Readonly<Record<string, readonly [token: string, who: Actor]>> = {
  'the admin key': [API_KEY, staff('admin', 'admin key')],
  'a token of a buyer': [sign({}), buyer('user:ann')],
  'a token that names its key': [sign({}, { kid: 'new' }), buyer('user:ann')],
  'a token of a former key': [sign({}, { kid: 'old' }, FORMER), buyer('user:ann')],
  'a token of a former key that it does not name': [sign({}, {}, FORMER), buyer('user:ann')],
  'a token without typ': [sign({}, { typ: undefined }), buyer('user:ann')],
  'a role of the platform itself': [sign({ role: 'customer' }), buyer('user:ann')],
  'a role that is no text': [sign({ role: ['admin'] }), buyer('user:ann')],
  'an admin': [sign({ role: 'admin' }), staff('admin', 'user ann')],
  'the box office': [sign({ role: 'box-office' }), staff('box-office', 'user ann')],
  'a door': [sign({ role: 'door' }), staff('door', 'user ann')],
  'a reader': [sign({ role: 'read' }), staff('read', 'user ann')],
  'a subject with any letters': [sign({ sub: 'Zoë 日本 🎫' }), buyer('user:Zoë 日本 🎫')],
  'a subject of 200 characters': [sign({ sub: 'x'.repeat(200) }), buyer(`user:${'x'.repeat(200)}`)],
  'clocks that are apart by some seconds': [sign({ nbf: NOW_S + 4 }), buyer('user:ann')],
};
for (const [name, [token, who]] of Object.entries(GOOD)) {
  test(`[D9] ${name} is good, at the first look and at the next`, async () => {
    const shop = open();
    assert.deepEqual(await ask(shop, token), who);
    const again = shop.whoIs({ bearer: token, session: undefined }, NOW_MS);
    assert.deepEqual(again, who, 'at once');
  });
}

const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
const unsigned = withPart(sign({}, { alg: 'none' }), 2, '');

/** Credentials that nobody should be let in with, and what is said of them. */
const BAD: Readonly<Record<string, readonly [token: string, why: RegExp]>> = {
  'alg none, without a signature': [unsigned, /HS256/],
  'alg none, with a signature': [sign({}, { alg: 'none' }), /HS256/],
  'alg None': [withPart(sign({}, { alg: 'None' }), 2, ''), /HS256/],
  'no alg': [sign({}, { alg: undefined }), /no key or token/],
  'RS256, signed with a public key as if it were a secret': [sign({}, { alg: 'RS256' }, pem), /HS256/],
  'HS256, signed with a public key as if it were a secret': [sign({}, {}, pem), /signature/],
  'HS512, with our secret': [sign({}, { alg: 'HS512' }), /HS256/],
  'a signature of another secret': [sign({}, {}, STRANGE), /signature/],
  'a signature of nothing': [sign({}, {}, '\0'), /signature/],
  'an unknown kid': [sign({}, { kid: 'newer' }), /kid/],
  "another key's kid": [sign({}, { kid: 'old' }), /signature/],
  'a kid that is a path': [sign({}, { kid: '../../../../dev/null' }, '\0'), /kid/],
  'a kid that is a query': [sign({}, { kid: "' UNION SELECT 'x" }, 'x'), /kid/],
  'a kid of JavaScript': [sign({}, { kid: '__proto__' }), /kid/],
  'a kid that is no text': [sign({}, { kid: { toString: 'new' } }), /kid/],
  'a key of its own in the header': [
    sign({}, { jwk: { kty: 'oct', k: Buffer.from(STRANGE).toString('base64url') } }, STRANGE),
    /signature/,
  ],
  'a header that makes demands': [sign({}, { crit: ['b64'], b64: false }), /no key or token/],
  'no exp': [sign({ exp: undefined }), /lacks the claim exp/],
  'exp past': [sign({ exp: NOW_S - 10 }), /expired/],
  'exp that is text': [sign({ exp: String(NOW_S + 60) }), /claim exp/],
  'nbf in the future': [sign({ nbf: NOW_S + 60 }), /not valid yet/],
  'no sub': [sign({ sub: undefined }), /lacks the claim sub/],
  'an empty sub': [sign({ sub: '' }), /subject/],
  'a sub that is no text': [sign({ sub: 7 }), /subject/],
  'a sub of 201 characters': [sign({ sub: 'x'.repeat(201) }), /subject/],
  'a sub with a line feed': [sign({ sub: 'ann\nbob' }), /subject/],
  'a sub with a NUL': [sign({ sub: 'ann\0' }), /subject/],
  'a sub that ends in a space': [sign({ sub: 'ann ' }), /subject/],
  'a sub with half a character': [sign({ sub: '\ud800' }), /subject/],
  'claims changed': [withPart(sign({}), 1, jsonPart({ ...good, role: 'admin' })), /signature/],
  'a header changed': [withPart(sign({}), 0, jsonPart({ alg: 'HS256', typ: 'jwt' })), /signature/],
  'a signature changed': [withOtherCharacter(sign({}), -3), /signature/],
  'a signature cut': [sign({}).slice(0, -8), /signature/],
  'no signature': [withPart(sign({}), 2, ''), /signature|no key or token/],
  'claims that are no object': [forgeJwt(null, { secret: SECRET }), /no key or token/],
  'claims that are a list': [forgeJwt([good], { secret: SECRET }), /no key or token|lacks/],
  'claims that are no JSON': [withPart(sign({}), 1, 'bm9wZQ'), /signature/],
  'a header that is no JSON': [withPart(sign({}), 0, 'bm9wZQ'), /no key or token/],
  'an encrypted token': [`${sign({})}.AAAA.AAAA`, /no key or token/],
  'a token over 8 kB': [sign({ filler: 'x'.repeat(8_192) }), /8192/],
  'one letter': ['x', /no key or token/],
  dots: ['..', /no key or token/],
  'something in several encodings': ['Ünïcödé.\u00ff.%00', /no key or token/],
  'the admin key with more': [`${API_KEY}x`, /no key or token/],
  'the admin key with less': [API_KEY.slice(0, -1), /no key or token/],
  'an unknown API key': [`fgk_1_${'A'.repeat(43)}`, /not known/],
  'an API key that is none': ['fgk_', /not known/],
  'a session that is none': ['fgs_', /not one of ours/],
  'a JWT as a session': [`fgs_${sign({})}`, /not one of ours/],
};
for (const [name, [token, why]] of Object.entries(BAD)) {
  test(`[D9] refused: ${name}`, async () => {
    const shop = open();
    for (const look of ['first', 'next']) {
      const who = (await ask(shop, token)) as BadCredential;
      assert.equal(who.kind, 'bad', look);
      assert.match(who.why, why);
      if (token.length > 5) assert.ok(!who.why.includes(token), 'never the credential itself');
    }
  });
}

test('[D9] a token that was seen before ends at its exp', async () => {
  const shop = open();
  const token = sign({ exp: NOW_S + 60 });
  assert.deepEqual(await ask(shop, token), buyer('user:ann'));
  assert.deepEqual(await ask(shop, token, NOW_MS + 59_999), buyer('user:ann'));
  const late = (await ask(shop, token, NOW_MS + 66_000)) as BadCredential;
  assert.match(late.why, /expired/);
});

test('[D9] issuer and audience are checked where the settings name them', async () => {
  const shop = open({ issuer: 'https://id.example.org', audience: 'floodgate' });
  const right = { iss: 'https://id.example.org', aud: ['other', 'floodgate'] };
  assert.deepEqual(await ask(shop, sign(right)), buyer('user:ann'));
  const wrong = {
    iss: [{ ...right, iss: 'https://evil.example.org' }, { aud: 'floodgate' }],
    aud: [{ ...right, aud: 'else' }, { iss: right.iss }, { ...right, aud: [] }],
  };
  for (const [claim, cases] of Object.entries(wrong)) {
    for (const claims of cases) {
      const who = (await ask(shop, sign(claims))) as BadCredential;
      assert.match(who.why, new RegExp(`claim ${claim}`), JSON.stringify(claims));
    }
  }
});

test('[D9] with one secret without a name, tokens name none', async () => {
  const shop = open({ secrets: [{ kid: undefined, secret: SECRET }] });
  assert.deepEqual(await ask(shop, sign({})), buyer('user:ann'));
  assert.equal((await ask(shop, sign({}, { kid: 'new' }))).kind, 'bad');
});

test('[D9] a bounded number of tokens is remembered, the oldest is forgotten first', async () => {
  const shop = open({ remembered: 3 });
  const tokens = ['a', 'b', 'c', 'd'].map((sub) => sign({ sub }));
  for (const token of tokens) await ask(shop, token);
  const isKnown = (bearer: string) =>
    !(shop.whoIs({ bearer, session: undefined }, NOW_MS) instanceof Promise);
  assert.deepEqual(tokens.map(isKnown), [false, true, true, true]);
});

test('a session is a buyer of its own, as bearer and as cookie, until it expires', () => {
  const shop = open();
  const [one, other] = [shop.newSession(NOW_MS), shop.newSession(NOW_MS)];
  assert.notEqual(one.buyer, other.buyer);
  assert.match(one.buyer, /^session:[\w-]{22}$/);
  assert.equal(one.expiresAtMs, NOW_MS + HOUR_MS);
  for (const credentials of [
    { bearer: one.token, session: undefined },
    { bearer: undefined, session: one.token },
    { bearer: one.token, session: other.token },
  ]) {
    assert.deepEqual(shop.whoIs(credentials, NOW_MS), buyer(one.buyer));
    assert.deepEqual(shop.whoIs(credentials, one.expiresAtMs - 1), buyer(one.buyer));
    assert.match((shop.whoIs(credentials, one.expiresAtMs) as BadCredential).why, /expired/);
  }
});

test('a session is good in every process, and after its secret has become a former one', () => {
  const before = open({ secrets: [{ kid: 'old', secret: FORMER }] });
  const session = before.newSession(NOW_MS);
  const bearer = session.token;
  assert.deepEqual(open().whoIs({ bearer, session: undefined }, NOW_MS), buyer(session.buyer));
  const without = open({ secrets: [{ kid: 'new', secret: SECRET }] });
  assert.equal((without.whoIs({ bearer, session: undefined }, NOW_MS) as BadCredential).kind, 'bad');
});

test('a session that was changed anywhere is none', () => {
  const shop = open();
  const { token } = shop.newSession(NOW_MS);
  // The last character of the MAC has two bits that mean nothing; every other one counts.
  for (let i = 4; i < token.length - 1; i++) {
    const who = shop.whoIs({ bearer: undefined, session: withOtherCharacter(token, i) }, NOW_MS);
    assert.equal((who as BadCredential).kind, 'bad', `character ${i}`);
  }
  const [id = '', expiry = '', mac = ''] = token.slice(4).split('.');
  const later = (Number.parseInt(expiry, 36) + 1_000).toString(36);
  const signedAsJwt = createHmac('sha256', SECRET).update(`${id}.${later}`).digest('base64url');
  for (const forged of [
    ...[`fgs_${id}.${later}.${mac}`, `fgs_${id}.${later}.${signedAsJwt}`, `fgs_${id}.${expiry}.`],
    ...[`fgs_${id}.${expiry}.${mac}x`, `fgs_${id}.${expiry}.${mac}.`, `${token} `, `FGS_${token.slice(4)}`],
  ]) {
    const who = shop.whoIs({ bearer: undefined, session: forged }, NOW_MS);
    assert.equal((who as BadCredential).kind, 'bad', forged);
  }
});

test('a staff key opens as its role and name, and says so in the audit log', async () => {
  const shop = open();
  const key = staffKey(shop, '7301', { role: 'door', name: 'Gate 4' });
  assert.match(key, /^fgk_7301_[\w-]{43}$/);
  assert.deepEqual(await ask(shop, key), staff('door', 'key 7301 Gate 4'));
  assert.ok(!JSON.stringify(shop.keys()).includes(key.slice(9)), 'the key itself is not kept');
  assert.equal(shop.key('7301')?.hash, hash('sha256', key, 'base64url'));
});

test('a staff key opens nothing once it is revoked or expired, no matter which process admits it again', async () => {
  const shop = open();
  const key = staffKey(shop, '1', { expiresAtMs: NOW_MS + 1 });
  const other = staffKey(shop, '2');
  assert.equal((await ask(shop, key)).kind, 'staff');
  assert.match(((await ask(shop, key, NOW_MS + 1)) as BadCredential).why, /expired/);
  shop.revoke('1', NOW_MS);
  assert.match(((await ask(shop, key)) as BadCredential).why, /revoked/);
  shop.admit({ ...shop.key('1')!, revokedAtMs: null });
  shop.revoke('1', NOW_MS + 5);
  shop.revoke('3', NOW_MS);
  assert.equal(shop.key('1')?.revokedAtMs, NOW_MS);
  assert.equal((await ask(shop, key)).kind, 'bad');
  assert.equal((await ask(shop, other)).kind, 'staff');
});

test('only who has the whole of a key learns that it is known, expired or revoked', async () => {
  const shop = open();
  const keys = [staffKey(shop, '1'), staffKey(shop, '2', { expiresAtMs: NOW_MS })];
  keys.push(staffKey(shop, '3', { revokedAtMs: NOW_MS }));
  const swapped = `fgk_1_${keys[1]!.slice(6)}`;
  for (const guess of [...keys.map((key) => withOtherCharacter(key, -2)), swapped, `${keys[0]}x`]) {
    assert.match(((await ask(shop, guess)) as BadCredential).why, /not known/);
  }
});

test('an admin key that looks like another credential is the admin key', async () => {
  for (const apiKey of ['fgk_1_0123456789abc', 'fgs_0123456789abcdef', 'aaaaaa.bbbbbb.cccccc']) {
    assert.deepEqual(await ask(open({}, apiKey), apiKey), staff('admin', 'admin key'));
  }
});

test('[D9] no text is a credential by chance, and none makes the shop fail', async () => {
  const shop = open();
  const key = staffKey(shop, '1');
  const session = shop.newSession(NOW_MS).token;
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 100 }),
    fc.constantFrom(key, session, sign({}), API_KEY).chain((text) =>
      fc.tuple(fc.nat(text.length), fc.string({ minLength: 1, maxLength: 3 })).map(([at, other]) => {
        return `${text.slice(0, at)}${other}${text.slice(at)}`;
      }),
    ),
  );
  const isBad = async (text: string) => (await ask(shop, text)).kind === 'bad';
  await fc.assert(fc.asyncProperty(texts, isBad), { numRuns: 500 });
});
