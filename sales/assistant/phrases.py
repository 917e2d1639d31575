"""What a customer reads whichever model takes the turn."""

#: a person was called: said by the call itself, so nobody announces one that isn't made
CALLED = {
    "ru": "Сотрудник приглашён в этот диалог и ответит здесь. Пока его нет, спрашивайте меня.",
    "en": "A colleague has been called into this chat and will answer here. Until then, ask me.",
}
