//! Words that ask for a password, in whatever letters they are written. Tenants' pages are where recipients, and people
//! who work with ACE, might be made to type one.

use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;

/// Wherever they stand, also inside of a word.
const PARTS: [&str; 22] = [
    "password",
    "passwort",
    "passwd",
    "pasword",
    "passcode",
    "passphrase",
    "kennwort",
    "contrasena",
    "motdepasse",
    "wachtwoord",
    "losenord",
    "adgangskode",
    "salasana",
    "jelszo",
    "пароль",
    "密码",
    "密碼",
    "パスワード",
    "비밀번호",
    "סיסמה",
    "onetimecode",
    "authenticatorcode",
];
/// Make letters be read in another direction than they have: no language needs them, and any part of a word can be turned.
pub const OVERRIDES: [char; 2] = ['\u{202d}', '\u{202e}'];

/// Short ones, only as words of their own.
const WORDS: [&str; 5] = ["pwd", "senha", "haslo", "heslo", "sifre"];

/// What else a page speaks of by these words: the code that it shows.
const CODES: [&str; 3] = ["passcode", "onetimecode", "authenticatorcode"];

static MEANT_PARTS: LazyLock<Vec<String>> = LazyLock::new(|| PARTS.iter().map(|part| meant(part)).collect());

/// Whether a text names a password, also in full width, with accents, digits for letters, letters of other alphabets
/// that look the same, signs in between, or in a direction of their own.
pub fn asks_for_password(text: &str) -> bool {
    if text.contains(OVERRIDES) {
        return true;
    }
    let whole = meant(text);
    MEANT_PARTS.iter().any(|part| whole.contains(part.as_str()))
        || text.split(|c: char| !c.is_alphanumeric()).any(|word| WORDS.contains(&meant(word).as_str()))
}

/// Whether the letters of a page, [`meant`] for reading, name a password. Codes may be spoken of there.
pub fn names_password(letters: &str) -> bool {
    passwords().any(|part| letters.contains(part))
}

/// Whether letters that stand alone are the beginning or the end of such a word.
pub fn is_piece(letters: &str) -> bool {
    let some = letters.chars().nth(1).is_some();
    some && passwords().any(|part| part != letters && (part.starts_with(letters) || part.ends_with(letters)))
}

fn passwords() -> impl Iterator<Item = &'static str> {
    MEANT_PARTS.iter().map(String::as_str).filter(|part| !CODES.contains(part))
}

/// Whether a style sheet does: in a name, or in the texts that a rule puts in.
pub fn style_asks_for_password(css: &str) -> bool {
    css.split([';', '{', '}']).any(|rule| {
        let mut parts = rule.split(['"', '\'']);
        let (mut names, mut texts) = (Vec::new(), String::new());
        while let Some(name) = parts.next() {
            names.push(name);
            texts.push_str(parts.next().unwrap_or_default());
        }
        let in_name =
            |part: &&str| part.split(|c: char| !(c.is_alphanumeric() || "-_".contains(c))).any(asks_for_password);
        asks_for_password(&texts) || names.iter().any(in_name)
    })
}

/// The letters of a text as they are read.
pub fn meant(text: &str) -> String {
    let letters = text.nfkd().flat_map(char::to_lowercase).map(letter).filter(|c| c.is_alphanumeric());
    letters.collect::<String>().replace("vv", "w")
}

/// The Latin letter that a digit, a sign or a letter of another alphabet looks like.
fn letter(c: char) -> char {
    match c {
        '0' | 'о' | 'ο' | 'օ' | 'ᴏ' | 'ø' => 'o',
        '3' | 'е' | 'ε' | 'ҽ' => 'e',
        '4' | '@' | 'а' | 'α' | 'ɑ' | 'ᴀ' => 'a',
        '5' | '$' | 'ѕ' | 'ꜱ' => 's',
        'р' | 'ρ' | 'ᴘ' => 'p',
        'ѡ' | 'ԝ' | 'ω' | 'ᴡ' => 'w',
        'г' | 'ʀ' | 'ᴦ' => 'r',
        'ԁ' | 'ɗ' | 'ᴅ' => 'd',
        'с' | 'ϲ' | 'ᴄ' => 'c',
        'һ' => 'h',
        'і' | 'ι' | 'ı' => 'i',
        'ո' | 'ɴ' => 'n',
        'т' | 'τ' | 'ᴛ' => 't',
        'ł' | '1' => 'l',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_recognised_in_every_spelling() {
        for text in [
            "password",
            "Your Password *",
            "PASS WORD",
            "p-a-s-s-w-o-r-d",
            "pass\u{200b}word",
            "\u{202e}drowssaP",
            "Pass\u{202e}drow",
            "p4ssw0rd",
            "P@$$w0rd",
            "рassword",
            "раѕѕԝоrd",
            "ｐａｓｓｗｏｒｄ",
            "𝐩𝐚𝐬𝐬𝐰𝐨𝐫𝐝",
            "pássword",
            "Passwort",
            "Contraseña",
            "mot de passe",
            "Пароль",
            "new-password",
            "current_password",
            "user_pwd",
            "Pass-phrase",
            "ⓟⓐⓢⓢⓦⓞⓡⓓ",
        ] {
            assert!(asks_for_password(text), "{text}");
        }
    }

    #[test]
    fn a_style_speaks_of_passwords_in_its_names_and_texts_and_not_where_words_only_meet() {
        for css in
            ["input[name=password]{color:red}", "a::after{content:'Pass' \"word\"}", "a{content:'Your pass word'}"]
        {
            assert!(style_asks_for_password(css), "{css}");
        }
        assert!(!style_asks_for_password(
            ".compass{word-break:break-all} .pass > .word{content:'Boarding pass'; color:red}"
        ));
    }

    #[test]
    fn ordinary_questions_pass() {
        for text in [
            "First name",
            "E-mail",
            "Passenger seats",
            "Workshop, WD-40",
            "Season pass",
            "Word of mouth",
            "Compass",
            "Gift card code",
            "ZIP",
            "PIN",
        ] {
            assert!(!asks_for_password(text), "{text}");
        }
    }
}
