import { describe, expect, it } from 'vitest';
import { paragraphsOf, textOf, withOwnParagraph, withOwnParagraphs } from './odoo-html.js';

describe('a text in HTML', () => {
  it('has our lines as paragraphs, and keeps all else as it is', () => {
    const before = '<div class="x">One</div><p>» Old</p><p style="color: red">Two</p><ul>\n <li>Three</li></ul>';
    expect(withOwnParagraphs(before, ['New', '1 < 2 & "3"'])).toBe(
      '<div class="x">One</div><p>» New</p><p>» 1 &lt; 2 &amp; &quot;3&quot;</p><p style="color: red">Two</p><ul> <li>Three</li></ul>',
    );
  });

  it('is the same when it is written again, entities and links included', () => {
    const once = withOwnParagraph(withOwnParagraphs('<p>Mine</p>', ['a & b']), 'Recording: https://r/1.wav?a=1&b=2');
    expect(once).toBe(
      '<p>Mine</p><p>» a &amp; b</p><p>» Recording: <a href="https://r/1.wav?a=1&amp;b=2">https://r/1.wav?a=1&amp;b=2</a></p>',
    );
    expect(withOwnParagraphs(once, ['a & b'])).toBe(once);
    expect(withOwnParagraph(once, 'Recording: https://r/1.wav?a=1&b=2')).toBe(once);
  });

  it('makes no link of what is none', () => {
    expect(withOwnParagraph('', 'Recording: javascript:alert(1)')).toBe('<p>» Recording: javascript:alert(1)</p>');
  });

  it('knows its own paragraph with attributes that an editor has given it', () => {
    expect(withOwnParagraphs('<p class="o_e">»&nbsp;Old</p>', ['New'])).toBe('<p>» New</p>');
  });

  it('is text again', () => {
    expect(textOf('<p>a &amp;lt; <b>b</b>&nbsp;c &#39;d&#39;</p>')).toBe("a &lt; b c 'd'");
    expect(paragraphsOf('a\0 <b>\nc')).toBe('<p>a &lt;b&gt;</p><p>c</p>');
  });
});
