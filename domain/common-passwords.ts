/** Words that the common passwords are made of, alone, repeated, or with digits and signs around them. */
const WORDS = `
password passw0rd p@ssword p@ssw0rd passwort passphrase kennwort haslo parola contrasena motdepasse senha wachtwoord
admin administrator root user guest test tester testing demo sample example default changeme change letmein let welcome
login secret private hidden access master super superuser system server database computer internet google facebook
amazon microsoft windows apple android samsung iphone twitter youtube linkedin instagram whatsapp paypal bank banking
card cards cardloom money cash credit debit payment finance wallet company business office work secure security safe
qwerty qwertz azerty qwertyuiop asdfghjkl zxcvbnm asdf zxcv qwer qazwsx wsxedc edcrfv 1q2w3e4r 1q2w3e 1qaz2wsx q1w2e3r4
abc abcd abcdef abcdefgh abcdefghijkl iloveyou loveyou love lovely trustno1 dragon monkey tiger lion eagle falcon
football soccer baseball basketball hockey liverpool chelsea arsenal barcelona realmadrid juventus superman batman
spiderman starwars pokemon minecraft princess sunshine flower summer winter spring autumn monday friday january
december michael jennifer jordan thomas robert daniel andrew charlie jessica ashley nicole matthew joshua
correcthorsebatterystaple thequickbrownfox nothing whatever freedom forever hello world helloworld
`
  .split(/\s+/)
  .filter((word) => word !== '');

const COMMON = new Set(WORDS);
const DIGITS_AND_SIGNS = /[^\p{L}]+/gu;

/**
 * True for a password (lower case) that is common: one of the list, alone, repeated or joined to others of it, with
 * any digits and signs around; a short unit repeated; or a run of characters.
 */
export function isCommonPassword(lower: string): boolean {
  return (
    isRepeated(lower) || isRun(lower) || isJoined(lower) || isJoined(lower.replace(DIGITS_AND_SIGNS, ''))
  );
}

const isRepeated = (text: string): boolean => /^(.{1,6}?)\1+$/u.test(text);

const isRun = (text: string): boolean => {
  const steps = new Set([...text].slice(1).map((char, at) => char.charCodeAt(0) - text.charCodeAt(at)));
  const [step] = steps;
  return steps.size === 1 && step !== undefined && Math.abs(step) <= 1;
};

/** True when the text is nothing but common words; empty text is digits and signs alone, as in 123123-456456. */
function isJoined(text: string): boolean {
  const reached = new Set([0]);
  for (let at = 0; at < text.length; at += 1) {
    if (!reached.has(at)) continue;
    for (const word of COMMON) if (text.startsWith(word, at)) reached.add(at + word.length);
  }
  return reached.has(text.length);
}
