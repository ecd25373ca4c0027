/** As the server compares: without accents and apostrophes, in lower case. */
export const fold = (text) => text.normalize('NFD').replace(/[\u0300-\u036f'’]/g, '').toLowerCase();
