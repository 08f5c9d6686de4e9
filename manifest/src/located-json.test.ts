// JSON with the places of its values reads what JSON.parse reads, and refuses what it refuses.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertLinear } from '@floodgate/core/testing/cpu.ts';
import fc from 'fast-check';
import { type JsonNode, lineAt, notJson, parseJson } from './located-json.ts';

function plain({ value }: JsonNode): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (!(value instanceof Map)) return value;
  return Object.fromEntries(
    [...(value as ReadonlyMap<string, JsonNode>)].map(([name, node]) => [name, plain(node)]),
  );
}

/** What JSON.parse makes of it; undefined when it throws. */
function native(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

test('[E2] a JSON text is read as JSON.parse reads it, indented or not', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2, '\t'), (value, indent) => {
      const text = JSON.stringify(value, undefined, indent);
      const read = parseJson(text);
      assert.ok('node' in read, text);
      assert.deepEqual(plain(read.node), JSON.parse(text));
    }),
  );
});

test('[E2] a text with a letter changed is JSON for both or for none, and the mistake lies in the text', () => {
  const anyText = fc.jsonValue().map((value) => JSON.stringify(value, undefined, 1));
  fc.assert(
    fc.property(anyText, fc.nat(), fc.constantFrom(...'{}[]",:\\0-.e1tfn \n\u0001é'), (text, at, letter) => {
      const place = at % (text.length + 1);
      const changed = text.slice(0, place) + letter + text.slice(place + 1);
      const read = parseJson(changed);
      const expected = native(changed);
      if ('node' in read) assert.deepEqual(plain(read.node), expected?.value);
      else {
        const isTwice = /twice/.test(read.mistake.message);
        assert.ok(isTwice || expected === undefined, `${changed}: ${read.mistake.message}`);
        assert.ok(read.mistake.offset >= 0 && read.mistake.offset <= changed.length);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('[E2] each value knows its line, and a mistake is told with its line and what to do', () => {
  const text = '{"a": 1,\r\n "b": [true,\n  "x"]}';
  const read = parseJson(text);
  assert.ok('node' in read);
  const b = (read.node.value as ReadonlyMap<string, JsonNode>).get('b')!;
  const lines = (b.value as JsonNode[]).map((node) => lineAt(text, node.offset));
  assert.deepEqual(lines, [2, 3]);
  for (const [wrong, line, message] of [
    ['', 1, /expected a value.*the end of the text/],
    ['{"a": 1,\n}', 2, /expected the name of a member.*"}"/],
    ['{"a": 1\n\n"b": 2}', 3, /expected "," or "}"/],
    ['[1,\n2', 2, /expected "," or "\]"/],
    ['{"a"\n1}', 2, /expected ":"/],
    ['{"a": 1,\n"a": 2}', 2, /"a" stands here twice/],
    ['\n"abc\n"', 2, /does not end on its line/],
    ['["\\x"]', 1, /backslash/],
    ['{}\n{}', 2, /nothing may follow/],
    ["{'a': 1}", 1, /in double quotes/],
    [`${'['.repeat(33)}${']'.repeat(33)}`, 1, /more than 32 levels/],
  ] as const) {
    const mistaken = parseJson(wrong);
    assert.ok('mistake' in mistaken, wrong);
    const problem = notJson(wrong, mistaken.mistake);
    assert.equal(problem.line, line, wrong);
    assert.match(problem.message, message);
  }
});

test('[E2] more values than any seat map has are refused while they are read', () => {
  const read = parseJson(`[${'1,'.repeat(2_000_000)}1]`);
  assert.ok('mistake' in read);
  assert.match(read.mistake.message, /more than 2000000 values/);
});

test('[E2] the cost to read or refuse a megabyte of anything grows no faster than its length', async () => {
  for (const piece of ['[', '{"a":', '1,', '"', '\\', '"\\', '[1,', ' ', '\n', 'x', '\u0000']) {
    const read = (size: number) => {
      const text = piece.repeat(Math.ceil((size * 65_536) / piece.length));
      return () => {
        assert.ok('mistake' in parseJson(text), piece);
        assert.ok('mistake' in parseJson(`[${text}`), piece);
      };
    };
    await assertLinear(read, { what: piece });
  }
});
