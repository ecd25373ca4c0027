// How many segments a text message takes: GSM-7 160 then 153 each, anything else UCS-2 70 then 67.
const basic = '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà';
const extended = '^{}\\[~]|€\f';

export function segments(text) {
  const letters = [...text];
  const gsm = letters.every((letter) => basic.includes(letter) || extended.includes(letter));
  const units = gsm ? letters.reduce((sum, letter) => sum + (extended.includes(letter) ? 2 : 1), 0) : text.length;
  const [one, many] = gsm ? [160, 153] : [70, 67];
  const count = units === 0 ? 0 : units <= one ? 1 : Math.ceil(units / many);
  return { units, count, gsm };
}
