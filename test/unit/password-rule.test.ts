import { describe, expect, it } from 'vitest';
import { passwordFault, pinFault } from '../../domain/password-rule.ts';

const owner = { email: 'ada.nowak@demo.test', phone: '48123456789', names: ['Ada', 'Nowak'] };

describe('a password', () => {
  it.each(['marble-otter-lantern', 'Zx9!kd83_plqW', 'ünïcödé wörds hére', '   twelve blanks   '])(
    'may be %j',
    (password) => {
      expect(passwordFault(password, owner)).toBeNull();
    },
  );

  it.each([
    ['eleven-char', /12 to 128/],
    ['x'.repeat(129), /12 to 128/],
    ['é'.normalize('NFD').repeat(7), /12 to 128/],
    ['password1234', /common/],
    ['Password!2026', /common/],
    ['qwertyuiop123', /common/],
    ['123123123123', /common/],
    ['aaaaaaaaaaaa', /common/],
    ['abcdefghijklm', /common/],
    ['876543210987', /common/],
    ['correcthorsebatterystaple', /common/],
    ['ada.nowak@demo.test', /neither/],
    ['my-Nowak-phrase-7', /neither/],
    ['call48123456789now', /neither/],
  ])('may not be %j', (password, fault) => {
    expect(passwordFault(password, owner)).toMatch(fault);
  });
});

describe('an app PIN', () => {
  const person = { birthDate: '1990-04-12', phone: '48123409271' };

  it('may be any other row of digits', () => {
    expect(pinFault('482915', 6, person)).toBeNull();
  });

  it.each([
    '111111',
    '123456',
    '654321',
    '120490',
    '041290',
    '900412',
    '409271',
    '48291',
    'abcdef',
    '4829150',
  ])('may not be %s', (pin) => {
    expect(pinFault(pin, 6, person)).not.toBeNull();
  });
});
