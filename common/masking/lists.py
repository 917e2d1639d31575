"""Words that stand before names, and words that are none."""

from __future__ import annotations

import re

_NO_NAMES = """
    менеджер директор руководитель клиент клиентка покупатель гость тест проверка компания фирма бот чат имя аноним
    владелец оператор человек сотрудник специалист поддержка админ администратор пользователь организация команда отдел
    кто никто он она они мы вы ты не ни да нет это ваш ваша ваше наш наша все всё пока же ли так вот просто очень
    спасибо здравствуйте привет добрый доброе доброго день вечер утро пожалуйста уважаемые ребята коллеги
    ии аи ai авито телеграм телеграмм яндекс битрикс амо амосрм салют салюта сбер алекса сири
    бизнес старт корпорация стартап юрист аналитик тариф продукт россия рф москва
    manager director client customer guest test company name user admin bot chat owner lawyer analyst business start
    starter enterprise avito telegram yandex bitrix amocrm crm api gpt chatgpt ooo llc ltd inc
    инн кпп огрн огрнип бик снилс ндс nda pdf docker
"""
NO_NAMES = frozenset(_NO_NAMES.split())

#: first names that the dictionary takes for other words as well, and nobody else does
_FIRST_NAMES = """
    артём артем жора герман димон максим макс мирон рома юра яков яша арам ренат ринат тоня валя варвара варя вероника
    вика катя ира лена люба милана регина соня юля яна ян лейсан влад эдик димас эмиль олеся юнус
"""
FIRST_NAMES = frozenset(_FIRST_NAMES.split())
#: first names that are words as well, or somebody's product: names where the words before them say so
_DOUBTFUL_NAMES = """
    слава света рая тома вера надежда любовь роза лилия лев роман софия алиса маруся май лада лида гена люда ника
"""
DOUBTFUL_NAMES = frozenset(_DOUBTFUL_NAMES.split())

_ANSWERS_NO_NAME = """
    да нет ок окей хорошо ладно потом позже неважно зачем секрет аноним анонимно никак пропустить дальше спасибо привет
    здравствуйте сначала не скажу цена цены стоп yes no ok okay hello hi skip later
"""
ANSWERS_NO_NAME = frozenset(_ANSWERS_NO_NAME.split())

#: English words that come with a capital, or after «this is», and are nobody
_WEAK = """
    the a an i you we he she it they my your our this that what who how when where why and or but not so very just
    really looking interested ready here there fine good great sure sorry glad happy trying writing asking calling
    thinking using going new from for with about to in on at by of is are was be been have has had do does did can
    could will would should please thanks thank hello hi hey dear regards best kind all any some one two three first
    last next waiting see let talk again much both
    business start starter enterprise manager lawyer analyst price pricing quote plan free demo trial ceo cto cfo head
    urgent important price prices kindly nice also still only back russian english moscow russia mark art bill grace
    hope rose may april june chase max grant frank monday tuesday wednesday thursday friday saturday sunday
    march july august september october november december january february
"""
WEAK = frozenset(_WEAK.split())

#: a name in quotes or after these is a firm's
_COMPANIES = """
    ооо оао зао пао ао нао тоо ано нко фонд компания компании компанию компанией фирма фирмы магазин магазина магазины
    салон салона салоны такси кафе бренд бренда бот робот ассистент ассистентка сервис сеть ресторан кофейня кофейни
    аптека банк тариф продукт программа приложение crm агентство холдинг группа завод фабрика отель гостиница клиника
    школа студия ателье пекарня издательство журнал газета роман фильм сериал песня улица улице проспект площадь колонка
"""
COMPANIES = frozenset(_COMPANIES.split())

#: every introduction has one of these in small letters
INTRODUCED = (
    *(
        "зовут",
        "звать",
        "зовите",
        "называйте",
        "имя",
        "фамили",
        "отчеств",
        "ф.и",
        "фио",
        "ф. и",
        "контактное",
        "представ",
    ),
    *("обращайтесь", "name", "call me", "zovut", "imya", "ф и о"),
)
_BLANK = r"[\s:,—–=-]{1,5}"
INTRODUCTIONS = re.compile(
    r"(?<!\w)(?:(?:меня|мя|её|ее|его|нас|моего\s+\w+|сына|дочь|мужа|жену|отца|маму|коллегу|директора)\s+зовут"
    r"|зовут\s+(?:меня|её|ее|его)|зовут|(?:можно\s+)?(?:звать|зовите|называйте)\s+(?:меня|её|его)"
    r"|обращайтесь\s+ко\s+мне|(?:мо[её]\s+|полное\s+)?имя(?:\s+мо[её])?|(?:моя\s+)?фамилия(?:\s+моя)?|по\s+фамилии|отчество"
    r"|ф\.?\s?и\.?\s?о\.?|контактное\s+лицо|на\s+имя|представлюсь|(?:разрешите|позвольте)\s+представиться"
    r"|меня\s+звать|my\s+name(?:\s+is|'s)|name\s*:|call\s+me|menya\s+zovut|moe\s+imya)"
    rf"(?:\s+(?:is|это))?{_BLANK}",
    re.IGNORECASE,
)
#: words after which a word that may be a name is one
ROLES = re.compile(
    r"(?<!\w)(?:контакт|это(?:\s+снова|\s+опять)?|я|с\s+вами|пишет(?:\s+вам)?|вам\s+пишет|на\s+связи|(?:вас\s+)?беспокоит"
    r"|здравствуйте|добрый\s+(?:день|вечер)|доброе\s+утро|привет|спасибо|благодарю"
    r"|(?:ген\w*\.?\s+|генеральн\w+\s+|коммерческ\w+\s+|исполнительн\w+\s+|финансов\w+\s+)?директор\w{0,2}|бухгалтер\w{0,2}"
    r"|главбух\w{0,2}|менеджер\w{0,2}|юрист\w{0,2}|коллег\w{1,2}|партн[её]р\w{0,2}|начальни\w{1,3}|руководител\w{1,2}"
    r"|сотрудни\w{1,3}|специалист\w{0,2}|консультант\w{0,2}|оператор\w{0,2}|заместител\w{1,2}|секретар\w{1,2}"
    r"|помощни\w{1,3}|администратор\w{0,2}|владел\w{1,4}|основател\w{1,3}|учредител\w{1,2}|собственни\w{1,3}"
    r"|муж\w{0,2}|жен\w{1,2}|сын\w{0,2}|доч\w{1,4}|брат\w{0,2}|сестр\w{1,2}|отец|мама|папа|шеф\w{0,2}|босс\w{0,2}|друг\w{0,2}"
    r"|ип|индивидуальн\w+\s+предпринимател\w+|гражданин|гражданка|господин\w{0,2}|госпож\w{1,2}|г-ну?|г-жа|уважаем\w{2}"
    r"|дорог(?:ой|ая)|заказчик|получатель|отправитель|плательщик|подписант|подпись|исполнитель|представитель"
    r"|ответственн\w+(?:\s+за\s+\w+)?|доверенность\s+на|паспорт\s+на|запишите|подпишет|согласовал\w?|утвердил\w?"
    r"|позовите|позови|передайте|передай|перезвоните|позвоните|наберите|спросите|спросить|скажите|ответьте|напишите"
    r"|отправьте|пришлите|оформите\s+на|(?:договор|сч[её]т|заказ|акт)\s+на|(?:документы|письмо|кп)\s+(?:для|на)|свяжитесь\s+с"
    r"|связаться\s+с|встреч[ау](?:\s+\w+)?\s+с|созвон\s+с|общал(?:ся|ась)\s+с|говорил[аи]?\s+с|разговаривал[аи]?\s+с"
    r"|лично\s+в\s+руки|для|от|у|к|с|пользователь|логин|приш[её]л|просил[аи]?|сказал[аи]?|отвечал[аи]?|запросил[аи]?"
    r"|отвечает|с\s+(?:глубоким\s+)?уважением|с\s+наилучшими(?:\s+пожеланиями)?|заранее\s+благодарен|всего\s+доброго"
    r"|ваш[аи]?|хорошего\s+дня)(?:\s*[,:!.—–-]{1,2}\s*|\s+)"
    r"(?:(?:документы|счёт|кп|пожалуйста|менеджера|оператора|вашего|вашей|наш|наша)[\s,]+)?$",
    re.IGNORECASE,
)
#: words after which even a word that no dictionary has is a name
SELVES = re.compile(
    r"(?<!\w)(?:это\s+(?:снова|опять)|с\s+вами|пишет(?:\s+вам)?|вам\s+пишет|на\s+связи|(?:вас\s+)?беспокоит"
    r"|с\s+(?:глубоким\s+)?уважением|(?:гражданин|господин|госпожа)|г-н|г-жа|мой\s+контакт|контакт)(?:\s*[,:—–-]{1,2}\s*|\s+)$",
    re.IGNORECASE,
)
ROLES_LATIN = re.compile(
    r"(?<!\w)(?:(?:hi|hello|hey)[,!.]?\s+)?(?:this\s+is|i\s+am|i'm|i’m|it's|(?:best|kind|warm)?\s?regards|sincerely|cheers|thanks"
    r"|yours(?:\s+truly)?|dear|mr\.?|mrs\.?|ms\.?|eto|я|зовут|на\s+связи|с\s+вами)\s{0,2}[,!—–-]?\s{1,3}$",
    re.IGNORECASE,
)
