// The other side of bench/tokenizers.sh: npm tokenizers (the Rust library) and npm tiktoken (WebAssembly). One JSON line.
//   node tokenizers_reference.mjs encode tokenizers|tiktoken TOKENIZER.json|ENCODING TEXTS [IDS]
//   node tokenizers_reference.mjs train TEXT.txt [OUT.json]
// TEXTS: each with its length in bytes before it. IDS: writes the ids there instead of measuring. Threads: RAYON_NUM_THREADS.
import { createRequire } from 'node:module';
import fs from 'node:fs';
const require = createRequire(process.env.NODE_PACKAGES + '/');
const [, , action, ...rest] = process.argv;
const now = () => performance.now() / 1000;

if (action === 'train') {
  const { Tokenizer, BPE, byteLevelPreTokenizer } = require('tokenizers');
  const began = now();
  const tokenizer = new Tokenizer(BPE.empty());
  tokenizer.setPreTokenizer(byteLevelPreTokenizer(false, true));
  tokenizer.train([rest[0]]); // npm gives no way to choose: its trainer's defaults are 30,000 tokens, no special ones
  const seconds = now() - began;
  if (rest[1]) tokenizer.save(rest[1]);
  console.log(JSON.stringify({ program: 'tokenizers', seconds, tokens: tokenizer.getVocabSize() }));
} else {
  const [library, name, file, idsFile] = rest;
  const texts = [];
  let data = fs.readFileSync(file);
  for (let at = 0; at < data.length; ) {
    const length = data.readUInt32LE(at);
    texts.push(data.toString('utf8', at + 4, at + 4 + length));
    at += 4 + length;
  }
  data = null;
  let encode;
  if (library === 'tokenizers') {
    const { Tokenizer } = require('tokenizers');
    const tokenizer = Tokenizer.fromFile(name);
    encode = async (some, take) => {
      let tokens = 0;
      for (let i = 0; i < some.length; i += 256)
        for (const encoding of await tokenizer.encodeBatch(some.slice(i, i + 256), { addSpecialTokens: false })) {
          tokens += encoding.getLength();
          take?.(encoding.getIds());
        }
      return tokens;
    };
  } else {
    const encoding = require('tiktoken').get_encoding(name);
    encode = async (some, take) => {
      let tokens = 0;
      for (const text of some) {
        const ids = encoding.encode_ordinary(text);
        tokens += ids.length;
        take?.(ids);
      }
      return tokens;
    };
  }
  if (idsFile) {
    const out = fs.openSync(idsFile, 'w');
    await encode(texts, ids => fs.writeSync(out, Buffer.from(Uint32Array.from(ids).buffer)));
    fs.closeSync(out);
  } else {
    let first = 0;
    for (let size = 0; first < texts.length && size < 1e6; first++) size += texts[first].length;
    for (const began = now(); now() - began < 1; ) await encode(texts.slice(0, first));
    const began = now();
    const tokens = await encode(texts);
    console.log(JSON.stringify({ program: library, seconds: now() - began, tokens }));
  }
}
