import { describe, expect, it } from 'vitest';
import { withOwnHtmlLine, withOwnHtmlLines } from './own-lines-html.js';

const most = 10_000;

describe('rich text that belongs to both', () => {
  it('begins with our lines', () => {
    expect(withOwnHtmlLines(null, ['Ringline', 'A & B <c>'], most)).toBe('» Ringline<br>» A &amp; B &lt;c&gt;<br>');
  });

  it('is the same when it is written again', () => {
    const once = withOwnHtmlLines('<p>Mine</p>', ['Ringline', 'Tom & Jerry'], most);
    expect(withOwnHtmlLines(once, ['Ringline', 'Tom & Jerry'], most)).toBe(once);
  });

  it('keeps what others wrote, markup and all, wherever it stands', () => {
    const text = '<div><p>Above <b>bold</b></p><p>» Ringline<br>» Old<br>between</p><p>Below</p></div>';
    expect(withOwnHtmlLines(text, ['Ringline', 'New'], most)).toBe(
      '<div><p>Above <b>bold</b></p><p>» Ringline<br>» New<br>between</p><p>Below</p></div>',
    );
  });

  it('knows its lines again after an editor has put each into a paragraph of its own', () => {
    const text = '<div style=""><p style="margin:0;">» Ringline</p><p>&raquo; no</p><p><span>» Old</span></p></div>';
    const again = withOwnHtmlLines(text, ['Ringline', 'New'], most);
    expect(again).not.toContain('Old');
    expect(again).toContain('» Ringline<br>» New<br>');
    expect(again).toContain('&raquo; no');
  });

  it('leaves a quotation of somebody else alone, and takes a line of ours that is empty', () => {
    const text = '<p>»Not on Monday« she said</p><p>»&nbsp;</p>';
    expect(withOwnHtmlLines(text, ['Ringline'], most)).toBe('<p>»Not on Monday« she said</p><p>» Ringline<br></p>');
  });

  it('keeps links to recordings that stand there', () => {
    const text = '» Ringline<br>» Recording: https://r/1.wav<br>';
    expect(withOwnHtmlLines(text, ['Ringline', 'New'], most)).toBe(
      '» Ringline<br>» New<br>» Recording: https://r/1.wav<br>',
    );
  });

  it('takes one more line, once', () => {
    const once = withOwnHtmlLine('<p>Mine</p>', 'Done & over', most);
    expect(once).toBe('» Done &amp; over<br><p>Mine</p>');
    expect(withOwnHtmlLine(once, 'Done & over', most)).toBe(once);
    expect(withOwnHtmlLine(once, 'Again', most)).toBe('» Done &amp; over<br>» Again<br><p>Mine</p>');
  });

  it('leaves out of ours what is too much, whole characters and no entity in two, and nothing of theirs', () => {
    const theirs = `<p>${'x'.repeat(50)}</p>`;
    for (let room = 60; room < 120; room++) {
      const text = withOwnHtmlLines(theirs, ['Ringline', '😀&😀<😀'.repeat(20)], room);
      expect(text.length).toBeLessThanOrEqual(Math.max(room, theirs.length));
      expect(text).toContain(theirs);
      expect(text).not.toMatch(/\p{Surrogate}/u);
      expect(text.replace(/&(?:amp|lt);/g, '')).not.toContain('&');
    }
  });
});
