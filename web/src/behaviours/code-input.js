// A redemption code while it is typed: XXXX-XXXX-XXXX, with O as 0 and I and L as 1, as the printed alphabet has none.
const clean = (text) => text.toUpperCase().replace(/O/g, '0').replace(/[IL]/g, '1').replace(/[^0-9A-Z]/g, '').slice(0, 12);
const grouped = (text) => text.match(/.{1,4}/g)?.join('-') ?? '';

export function codeInput() {
  document.addEventListener('input', (event) => {
    const input = event.target;
    if (input.dataset?.codeInput === undefined) return;
    const before = clean(input.value.slice(0, input.selectionStart)).length;
    input.value = grouped(clean(input.value));
    const caret = before + Math.floor(Math.max(before - 1, 0) / 4);
    input.setSelectionRange(caret, caret);
  });
}
