// Makes random and adversarial strings from a seed, encodes them with the reference (npm tokenizers, the Rust library), and writes
// both to standard output: byte count, UTF-8, id count, ids; numbers of 32 bits, little-endian.
// node bench/tokenizer_fuzz.mjs TOKENIZER.json COUNT SEED   (npm's tokenizers must be found from NODE_PATH or the folder)
import { createRequire } from 'node:module';
import fs from 'node:fs';
const require = createRequire((process.env.NODE_PACKAGES ?? process.cwd()) + '/');
const { Tokenizer } = require('tokenizers');
const [, , file, countText, seedText, withSpecial] = process.argv;
const tokenizer = Tokenizer.fromFile(file);

// mulberry32: the same strings everywhere for a seed.
let state = Number(seedText) >>> 0;
const random = () => {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};
const below = n => Math.floor(random() * n);
const pick = list => list[below(list.length)];
const range = (from, to) => String.fromCodePoint(from + below(to - from + 1));
const many = (n, make) => { let s = ''; for (let i = 0; i < n; i++) s += make(); return s; };

const added = JSON.parse(fs.readFileSync(file, 'utf8')).added_tokens?.map(t => t.content) ?? [];
const specials = [...new Set([...added.slice(0, 40), ...added.slice(-40), '<|endoftext|>', '<|im_start|>', '[CLS]', '[MASK]', '</s>', '<pad>', '<extra_id_7>', '<unk>'])];
const words = ('the of and to in a is that for it as was with be by on not he I this are or his from at which but have an had they you were their one all we can her has there been if more when will would who so no said what up its about into than them only other new some could time these two may then do first any my now such like our over man me even most made after also did many off before must through back years where much your way well down should because each just those people Mr how too little state good very make world still own see men work long get here between both life being under never day same another know while last might us great old year come since against go came right used take three international internationalization antidisestablishmentarianism').split(' ');
const contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'T", "'RE", "'Ve", "'M", "'lL", "'D", "'ſ", "’s", "'", "''", "'x", "'l", "'r", "'sx"];
const spaces = [' ', '  ', '   ', '\t', '\n', '\r', '\r\n', '\n\n', ' \n', '\n ', '\u000b', '\u000c', '\u001c', '\u001f', '\u0085', '\u00a0', '\u1680', '\u180e', '\u2000', '\u2003', '\u200b', '\u2028', '\u2029', '\u202f', '\u205f', '\u2060', '\u3000', '\ufeff'];
const scripts = [[0x20, 0x7e], [0xa0, 0xff], [0x100, 0x24f], [0x250, 0x2ff], [0x300, 0x36f], [0x370, 0x3ff], [0x400, 0x52f], [0x530, 0x58f], [0x590, 0x5ff], [0x600, 0x6ff], [0x700, 0x74f], [0x900, 0x97f], [0x980, 0x9ff], [0xb80, 0xbff], [0xe00, 0xe7f], [0xf00, 0xfff], [0x1000, 0x109f], [0x10a0, 0x10ff], [0x1100, 0x11ff], [0x1200, 0x137f], [0x13a0, 0x13ff], [0x1780, 0x17ff], [0x1e00, 0x1eff], [0x1f00, 0x1fff], [0x2000, 0x206f], [0x2070, 0x209f], [0x20a0, 0x20cf], [0x20d0, 0x20ff], [0x2100, 0x214f], [0x2150, 0x218f], [0x2190, 0x22ff], [0x2460, 0x24ff], [0x2500, 0x27bf], [0x2c00, 0x2dff], [0x3000, 0x303f], [0x3040, 0x30ff], [0x3130, 0x318f], [0x3200, 0x32ff], [0x4e00, 0x9fff], [0xa640, 0xa69f], [0xac00, 0xd7a3], [0xf900, 0xfaff], [0xfb00, 0xfdff], [0xfe00, 0xfe6f], [0xff00, 0xffef], [0x10000, 0x100ff], [0x10330, 0x1034f], [0x10400, 0x1044f], [0x12000, 0x123ff], [0x1d400, 0x1d7ff], [0x1f300, 0x1faff], [0x20000, 0x2a6df], [0xe0000, 0xe007f], [0xe0100, 0xe01ef]];
const digits = ['0123456789', '٠١٢٣٤٥٦٧٨٩', '۰۱۲۳۴۵۶۷۸۹', '०१२३४५६७८९', '๐๑๒๓๔๕๖๗๘๙', '０１２３４５６７８９', '𝟘𝟙𝟚𝟛𝟜𝟝𝟞𝟟𝟠𝟡', 'ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩ', '½¼¾⅓⅔⅛²³¹⁴', '①②③④⑤⑥⑦⑧⑨⑩', '一二三四五六七八九十'].map(s => [...s]);
const emoji = ['👩‍👩‍👧‍👦', '👍🏽', '🏳️‍🌈', '🇫🇷', '🇫', '👨‍💻', '❤️', '☺', '🤷🏿‍♀️', '1️⃣', '🫠', '🧑‍🚀', '\u200d', '\ufe0f', '🏴󠁧󠁢󠁥󠁮󠁧󠁿'];
const odd = ['\0', '\u0001', '\u007f', '\u0080', '\u00ad', '\ufffd', '\ufffe', '\uffff', '\u{10ffff}', '\u{1fffe}', '\ue000', '\u{f0000}', '\u202e', '\u202a', '\u202c', '\u2066', '\u2069', '\u200e', '\u200f', '\u061c', 'İ', 'ı', 'ß', 'ẞ', 'ﬁ', 'ſ', 'K', 'Å', 'ǅ', 'ʼn', 'Σ', 'ς', '\u0345', '\u0327', '\u1e9b\u0323', '가', '각', '\u1100\u1161\u11a8', '▁', '▁▁', 'Ġ', 'Ċ', '##', '##s', '@@', '"', '\\', '\\n', '&amp;', '<', '>', '</', '|', '<|', '|>', 'http://a.b/c?d=e&f#g', 'a@b.co', '$1,234.56', '-12e-7', 'C++', '#!', '...', '!!', '--', '——', '“”', '«»', '¿¡', '¡'];
const anyPoint = () => { for (;;) { const c = below(4) ? below(0x3000) : below(0x110000); if (c < 0xd800 || c > 0xdfff) return String.fromCodePoint(c); } };
const word = () => { const w = pick(words), k = below(8); return k === 0 ? w.toUpperCase() : k === 1 ? w[0].toUpperCase() + w.slice(1) : k === 2 ? w.slice(0, 1 + below(w.length)) : w; };
const truncated = () => { const t = pick(specials), k = below(4); return k === 0 ? t.slice(0, 1 + below(t.length)) : k === 1 ? t.slice(below(t.length)) : k === 2 ? t + t.slice(0, below(t.length)) : t; };
const bytesAsText = () => { const b = Buffer.alloc(1 + below(16)); for (let i = 0; i < b.length; i++) b[i] = below(256); return b.toString('utf8'); };
const combining = () => pick([...'aeiouAEIOUnçsЖйαあがไ한']) + many(1 + below(5), () => pick([() => range(0x300, 0x36f), () => range(0x20d0, 0x20f0), () => range(0x1ab0, 0x1ac0), () => '\u3099', () => '\u0e31'])());
const run = () => { const u = pick([() => pick([...'aAeé0 .^=-_*/\n\t']), () => pick(emoji), () => range(0x4e00, 0x4fff), () => pick(spaces), () => pick(odd), () => word(), () => pick(specials)])(); return u.repeat(1 + below(below(20) ? 12 : 300)); };
const script = () => { const [from, to] = pick(scripts); return many(1 + below(10), () => range(from, to)); };
const number = () => many(1 + below(7), () => pick(pick(digits))) + pick(['', '', '.', ',', '%', 'th']);
const scriptNumber = () => { const d = pick(digits); return many(1 + below(9), () => pick(d)); };
const parts = [word, word, () => ' ' + word(), () => ' ' + word(), () => word() + pick(contractions), () => pick(contractions), () => pick(spaces), () => pick(spaces), () => many(1 + below(4), () => pick(spaces)), number, scriptNumber, script, script, () => pick(emoji), combining, () => pick(odd), () => pick(odd), truncated, () => pick(specials), anyPoint, () => many(1 + below(6), anyPoint), bytesAsText, run, () => pick([...'!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~'])];
const make = () => { const k = below(40); return k === 0 ? '' : k === 1 ? run() : many(1 + below(k < 30 ? 8 : 24), () => pick(parts)()); };

const number32 = n => { const b = Buffer.alloc(4); b.writeUInt32LE(n); return b; };
const write = buffer => new Promise(done => process.stdout.write(buffer) ? done() : process.stdout.once('drain', done));
for (let left = Number(countText); left > 0; left -= 1000) {
  const texts = Array.from({ length: Math.min(1000, left) }, () => make().toWellFormed());
  const encodings = await tokenizer.encodeBatch(texts, { addSpecialTokens: withSpecial === 'special' });
  const chunks = [];
  for (let i = 0; i < texts.length; i++) {
    const bytes = Buffer.from(texts[i], 'utf8'), ids = Uint32Array.from(encodings[i].getIds());
    chunks.push(number32(bytes.length), bytes, number32(ids.length), Buffer.from(ids.buffer));
  }
  await write(Buffer.concat(chunks));
}
