"""How well columns are told: a generated set of columns in many locales, with figures for each category.

    python bench/data/columns.py [--seed N] [--rows N] [--wrong]

Every locale gives columns of people (names, mail, phones, addresses, birth dates, national numbers), money, health,
belief and secrets, under headers in its own language and in English, in several spellings and with
the words that systems put before them; the same under no header or
a misleading one where the values are proof; with empty, dirty and mixed values; and columns that only look alike:
order numbers, timestamps, articles, hashes, amounts, statuses. ``--wrong`` lists what was told wrongly.
"""

# ruff: noqa: E501 - tables read better in one line
from __future__ import annotations

import argparse
import random
import re
import string
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from hashlib import md5, sha256

from faker import Faker

from penstock.inspect.sensitive.columns import classify_column

LOCALES = (
    "en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "pt_BR", "nl_NL", "pl_PL", "sv_SE", "tr_TR", "ja_JP", "ru_RU",
)  # fmt: skip

#: language → category → headers that people give such columns.
HEADERS: dict[str, dict[str, str]] = {
    "en": {
        "first": "first_name|FirstName|given name|fname|Customer First Name|forename",
        "last": "last_name|surname|LastName|family_name|lname",
        "full": "full_name|customer_name|Name of patient|contactName|employee name|account_holder|passenger_name",
        "email": "email|e-mail|EmailAddress|contact_email|work email|user_email|mail",
        "phone": "phone|phone_number|Mobile|tel|contact no|cell_phone|PhoneNo|home_phone|telephone_number",
        "street": "street|address|street_address|AddressLine1|home address|billing_address|shippingAddress",
        "birth": "dob|date_of_birth|birthDate|Birthday|birth_dt|patient_dob",
        "national": "ssn|national_id|SocialSecurityNumber|tax_id|id_number|national insurance no",
        "card": "card_number|cc_num|CreditCard|pan|payment card no",
        "iban": "iban|bank_account|AccountNumber|account_iban",
        "icd": "diagnosis|icd10|diagnosis_code|primary_diagnosis",
        "belief": "religion|ethnicity|sexual_orientation|political_opinion",
        "secret": "api_key|password|access_token|client_secret|user_password",
        "order": "order_no|order_id|Order Number|purchase order",
        "sku": "sku|article|product_code|item no",
        "stamp": "created_at|timestamp|updated|event_time|order_date",
        "amount": "amount|price|total|unit price|revenue",
        "product": "product|product_name|item|title",
        "status": "status|state|order_status|type",
        "company": "company|company_name|vendor|supplier",
    },
    "de": {
        "first": "Vorname|vorname_kunde|Rufname",
        "last": "Nachname|Familienname|Name, Nachname|zuname",
        "full": "Kundenname|Ansprechpartner|Vollständiger Name|Mitarbeitername|Kontoinhaber",
        "email": "E-Mail|email_adresse|Mailadresse|E-Mail-Adresse|Kunden_Email",
        "phone": "Telefon|Telefonnummer|Handy|Mobilnummer|Tel.|Rufnummer|Telefon privat",
        "street": "Straße|Strasse_Nr|Anschrift|Adresse|Lieferadresse|Straße und Hausnummer",
        "birth": "Geburtsdatum|geb_datum|Geburtstag|geb.",
        "national": "Steuer-ID|Sozialversicherungsnummer|SV-Nummer|Personalausweisnummer|Rentenversicherungsnummer",
        "card": "Kreditkartennummer|Kreditkarte|Kartennummer",
        "iban": "IBAN|Kontonummer|Bankverbindung",
        "icd": "Diagnose|Diagnosecode|ICD-10",
        "belief": "Religion|Konfession|Religionszugehörigkeit",
        "secret": "Passwort|Kennwort|API-Schlüssel|Zugangstoken",
        "order": "Bestellnummer|Auftragsnr|Rechnungsnummer",
        "sku": "Artikelnummer|Artikelnr|Teilenummer",
        "stamp": "Erstellt am|Zeitstempel|Bestelldatum|Lieferdatum",
        "amount": "Betrag|Preis|Summe netto",
        "product": "Produkt|Artikelbezeichnung|Bezeichnung",
        "status": "Status|Zustand|Art",
        "company": "Firma|Unternehmen|Lieferant",
    },
    "fr": {
        "first": "Prénom|prenom_client",
        "last": "Nom de famille|nom_client|NOM",
        "full": "Nom complet|Nom et prénom|nom_du_patient|titulaire",
        "email": "Courriel|adresse e-mail|email|adresse_mail|mél",
        "phone": "Téléphone|tel_portable|numéro de téléphone|Portable|n° tel",
        "street": "Adresse|adresse_postale|Rue|adresse de livraison|domicile",
        "birth": "Date de naissance|date_naissance|né le|dateNaissance",
        "national": "numéro de sécurité sociale|NIR|num_secu|N° sécu",
        "card": "carte bancaire|numéro de carte|num_cb",
        "iban": "IBAN|compte bancaire|RIB",
        "icd": "Diagnostic|code CIM10|diagnostic_principal",
        "belief": "Religion|Confession|Orientation sexuelle",
        "secret": "mot_de_passe|clé API|jeton d'accès|mdp",
        "order": "Numéro de commande|n° facture|ref_commande",
        "sku": "Référence|code article|ref_produit",
        "stamp": "Date de création|horodatage|date_commande",
        "amount": "Montant|prix|total TTC",
        "product": "Produit|désignation|libellé",
        "status": "Statut|état|type",
        "company": "Société|entreprise|fournisseur",
    },
    "es": {
        "first": "Nombre|nombre_cliente|Nombre de pila",
        "last": "Apellidos|primer_apellido|segundo apellido",
        "full": "Nombre completo|nombre y apellidos|nombre_paciente|titular",
        "email": "Correo electrónico|correo|email|e-mail de contacto|correo_e",
        "phone": "Teléfono|telefono_movil|Móvil|Celular|num_telefono",
        "street": "Dirección|domicilio|calle|direccion_envio",
        "birth": "Fecha de nacimiento|fecha_nacimiento|F. Nac.|nacimiento",
        "national": "DNI|NIF|dni_nie|documento de identidad|num_documento",
        "card": "Número de tarjeta|tarjeta_credito|tarjeta",
        "iban": "IBAN|cuenta bancaria|numero_cuenta",
        "icd": "Diagnóstico|codigo_diagnostico|diagnostico",
        "belief": "Religión|etnia|orientación sexual",
        "secret": "contraseña|clave_api|token_acceso",
        "order": "Número de pedido|num_factura|pedido",
        "sku": "Referencia|codigo_articulo|código",
        "stamp": "Fecha de creación|fecha_pedido|fecha alta",
        "amount": "Importe|precio|total",
        "product": "Producto|descripción|artículo",
        "status": "Estado|tipo|situación",
        "company": "Empresa|proveedor|razón social",
    },
    "it": {
        "first": "Nome|nome_cliente",
        "last": "Cognome|cognome_cliente",
        "full": "Nome e cognome|nominativo|nome completo|intestatario",
        "email": "E-mail|posta elettronica|indirizzo email|mail_cliente",
        "phone": "Telefono|Cellulare|numero di telefono|tel_casa",
        "street": "Indirizzo|via|residenza|indirizzo_spedizione",
        "birth": "Data di nascita|data_nascita|nato il",
        "national": "Codice fiscale|cod_fiscale|CF",
        "card": "Numero carta|carta_di_credito|carta",
        "iban": "IBAN|conto corrente|coordinate bancarie",
        "icd": "Diagnosi|codice diagnosi",
        "belief": "Religione|etnia|orientamento sessuale",
        "secret": "password|chiave_api|parola d'ordine",
        "order": "Numero ordine|num_fattura|ordine",
        "sku": "Codice articolo|cod_prodotto",
        "stamp": "Data creazione|data_ordine",
        "amount": "Importo|prezzo|totale",
        "product": "Prodotto|descrizione",
        "status": "Stato|tipo",
        "company": "Azienda|ragione sociale|fornitore",
    },
    "pt": {
        "first": "Nome|primeiro_nome|prenome",
        "last": "Sobrenome|ultimo_nome|apelido",
        "full": "Nome completo|nome_do_cliente|nome do paciente|titular",
        "email": "E-mail|endereço de email|email_contato|correio eletrônico",
        "phone": "Telefone|celular|tel_contato|número de telefone|telemóvel",
        "street": "Endereço|logradouro|rua|endereco_entrega|morada",
        "birth": "Data de nascimento|dt_nascimento|data_nasc|nascimento",
        "national": "CPF|cpf_cliente|documento|RG",
        "card": "Número do cartão|cartao_credito|cartão",
        "iban": "IBAN|conta bancária|numero_conta",
        "icd": "Diagnóstico|CID|codigo_cid",
        "belief": "Religião|raça|orientação sexual",
        "secret": "senha|chave_api|token de acesso",
        "order": "Número do pedido|nota fiscal|pedido",
        "sku": "Código do produto|referência",
        "stamp": "Data de criação|data_pedido",
        "amount": "Valor|preço|total",
        "product": "Produto|descrição",
        "status": "Situação|tipo|status",
        "company": "Empresa|fornecedor|razão social",
    },
    "nl": {
        "first": "Voornaam|roepnaam",
        "last": "Achternaam|familienaam",
        "full": "Volledige naam|klantnaam|naam patiënt|rekeninghouder",
        "email": "E-mailadres|email|e-mail",
        "phone": "Telefoonnummer|telefoon|mobiel|gsm-nummer",
        "street": "Adres|straat|straat en huisnummer|woonadres",
        "birth": "Geboortedatum|geb_datum",
        "national": "BSN|burgerservicenummer|sofinummer",
        "card": "Kaartnummer|creditcardnummer",
        "iban": "IBAN|rekeningnummer|bankrekening",
        "icd": "Diagnose|diagnosecode",
        "belief": "Religie|geloof|etniciteit",
        "secret": "wachtwoord|api_sleutel|toegangstoken",
        "order": "Ordernummer|bestelnummer|factuurnummer",
        "sku": "Artikelnummer|artikelcode",
        "stamp": "Aangemaakt op|besteldatum",
        "amount": "Bedrag|prijs|totaal",
        "product": "Product|omschrijving",
        "status": "Status|soort",
        "company": "Bedrijf|leverancier",
    },
    "pl": {
        "first": "Imię|imie_klienta",
        "last": "Nazwisko|nazwisko_klienta",
        "full": "Imię i nazwisko|pacjent imię i nazwisko|posiadacz konta",
        "email": "E-mail|adres e-mail|adres email|poczta",
        "phone": "Telefon|numer telefonu|nr_tel|komórka",
        "street": "Ulica|adres|adres zamieszkania",
        "birth": "Data urodzenia|data_ur|urodzony",
        "national": "PESEL|nr PESEL|numer pesel",
        "card": "Numer karty|karta płatnicza",
        "iban": "IBAN|numer konta|rachunek bankowy",
        "icd": "Rozpoznanie|diagnoza|kod ICD-10",
        "belief": "Religia|wyznanie",
        "secret": "hasło|klucz_api|token dostępu",
        "order": "Numer zamówienia|nr faktury",
        "sku": "Kod produktu|indeks",
        "stamp": "Data utworzenia|data zamówienia",
        "amount": "Kwota|cena",
        "product": "Produkt|nazwa towaru",
        "status": "Status|stan",
        "company": "Firma|dostawca",
    },
    "sv": {
        "first": "Förnamn|tilltalsnamn",
        "last": "Efternamn",
        "full": "Fullständigt namn|kundnamn|kontoinnehavare",
        "email": "E-post|e-postadress|mejl",
        "phone": "Telefon|mobilnummer|telefonnummer|mobil",
        "street": "Adress|gatuadress|bostadsadress",
        "birth": "Födelsedatum|född",
        "national": "Personnummer|personnr",
        "card": "Kortnummer|kreditkort",
        "iban": "IBAN|kontonummer",
        "icd": "Diagnos|diagnoskod",
        "belief": "Religion|trosuppfattning|etnicitet",
        "secret": "lösenord|api_nyckel",
        "order": "Ordernummer|fakturanummer",
        "sku": "Artikelnummer|artikelkod",
        "stamp": "Skapad|orderdatum",
        "amount": "Belopp|pris",
        "product": "Produkt|benämning",
        "status": "Status|typ",
        "company": "Företag|leverantör",
    },
    "tr": {
        "first": "Ad|adı|isim",
        "last": "Soyad|soyadı|soyisim",
        "full": "Ad Soyad|müşteri adı|hasta adı soyadı",
        "email": "E-posta|eposta adresi|e-posta adresi",
        "phone": "Telefon|cep telefonu|telefon numarası|gsm no",
        "street": "Adres|ev adresi|sokak",
        "birth": "Doğum tarihi|dogum_tarihi",
        "national": "TC kimlik no|kimlik numarası|TCKN",
        "card": "Kart numarası|kredi kartı no",
        "iban": "IBAN|hesap no",
        "icd": "Tanı|teşhis",
        "belief": "Din|mezhep",
        "secret": "şifre|parola|api_anahtarı",
        "order": "Sipariş no|fatura no",
        "sku": "Ürün kodu|stok kodu",
        "stamp": "Oluşturma tarihi|sipariş tarihi",
        "amount": "Tutar|fiyat",
        "product": "Ürün|ürün adı",
        "status": "Durum|tür",
        "company": "Şirket|tedarikçi",
    },
    "ja": {
        "first": "名",
        "last": "姓|苗字",
        "full": "氏名|お名前|顧客名|患者氏名",
        "email": "メールアドレス|メール|Eメール",
        "phone": "電話番号|携帯電話|TEL|連絡先電話",
        "street": "住所|現住所|配送先住所",
        "birth": "生年月日|誕生日",
        "national": "マイナンバー|個人番号",
        "card": "カード番号|クレジットカード番号",
        "iban": "IBAN|口座番号",
        "icd": "診断|病名|診断コード",
        "belief": "宗教",
        "secret": "パスワード|APIキー|アクセストークン",
        "order": "注文番号|伝票番号",
        "sku": "商品コード|品番",
        "stamp": "作成日時|注文日",
        "amount": "金額|価格",
        "product": "商品名|品名",
        "status": "状態|種別",
        "company": "会社名|仕入先",
    },
    "ru": {
        "first": "Имя|имя клиента",
        "last": "Фамилия|фамилия клиента",
        "full": "ФИО|полное имя|ФИО пациента",
        "email": "Эл. почта|электронная почта|e-mail|адрес электронной почты",
        "phone": "Телефон|номер телефона|мобильный телефон|контактный телефон",
        "street": "Адрес|улица|адрес проживания|адрес доставки",
        "birth": "Дата рождения|день рождения",
        "national": "СНИЛС|ИНН|паспорт|серия и номер паспорта",
        "card": "Номер карты|банковская карта",
        "iban": "IBAN|номер счета",
        "icd": "Диагноз|код диагноза|МКБ-10",
        "belief": "Вероисповедание|религия|национальность",
        "secret": "пароль|ключ_api|токен доступа",
        "order": "Номер заказа|номер счета-фактуры",
        "sku": "Артикул|код товара",
        "stamp": "Дата создания|дата заказа",
        "amount": "Сумма|цена",
        "product": "Товар|наименование",
        "status": "Статус|состояние",
        "company": "Компания|поставщик|организация",
    },
}
#: What a header that says nothing looks like.
SILENT = ("column 3", "c7", "field_2", "Unnamed: 4", "value", "data", "x", "attr1", "info")
#: What tables and systems put before a name.
PREFIXES = ("crm_", "lead ", "legacy_", "hr.", "T1_", "billing_contact_", "driver ", "x_")
#: Category → headers that promise something else.
MISLEADING = {
    "email": ("username", "login", "notes", "id", "contact"),
    "card": ("reference", "account", "code"),
    "iban": ("reference", "account", "number"),
    "full": ("username", "created_by", "author", "assigned_to"),
    "phone": ("contact", "whatsapp", "reference"),
}
#: Headers that promise what their values are not.
PROMISING = {
    "email": ["yes|no", "weekly digest|newsletter|none", "opened|bounced|delivered"],
    "phone": ["iPhone 14|Galaxy S23|Pixel 8", "true|false", "mobile|landline"],
    "address": ["0x8f3a|0x91bc", "10.0.0.1|10.2.3.4", "https://a.example|https://b.example"],
    "first_name": ["1|2|3|4", "0.4|0.9", "true|false"],
    "ssn": ["yes|no", "valid|missing"],
    "card": ["gold|silver|platinum", "visa|amex"],
    "password": ["true|false", "2024-01-01|2024-02-02", "strong|weak"],
    "birth_date": ["yes|no", "known|unknown"],
    "token": ["1024|2048|4096", "3|7|12"],
    "key": ["name|size|color", "1|2|3"],
    "name": ["prod-eu-1|prod-us-2|staging", "nginx|redis|postgres", "Lamp|Table|Chair"],
    "treatment": ["a|b|control", "variant_1|variant_2"],
    "race": ["100m|200m|marathon", "Monaco|Monza|Spa"],
    "pan": ["copper|iron|steel", "24 cm|28 cm"],
    "iban": ["true|false", "checked|unchecked"],
    "patient": ["true|false"],
    "tel": ["aviv|true", "n/a|none"],
    "mobile": ["true|false", "android|ios|web"],
    "diagnosis": ["true|false"],
}
LABEL = {
    "first": "pii", "last": "pii", "full": "pii", "email": "pii", "phone": "pii", "street": "pii", "birth": "pii",
    "national": "pii", "card": "pci", "iban": "pii", "icd": "phi", "belief": "special_category", "secret": "credentials",
}  # fmt: skip
BELIEFS = {
    "en": "Catholic|Protestant|Muslim|Jewish|Hindu|none", "de": "evangelisch|katholisch|muslimisch|keine|jüdisch",
    "ja": "仏教|神道|キリスト教|なし", "ru": "православие|ислам|иудаизм|нет",
}  # fmt: skip
ICD = ("E11.9", "I10", "J45.909", "F32.1", "M54.5", "C50.919", "K21.9", "N18.3", "Z79.4", "G43.909")
#: Kinds of the national number that Faker gives, where it is not ``ssn``.
NATIONAL = {"es_ES": "nif", "pl_PL": "pesel", "pt_BR": "cpf"}


@dataclass(frozen=True)
class Column:
    """category: what it holds, or how it only looks; label: empty for nothing; dressed: how its header was made."""

    category: str
    label: str
    locale: str
    dressed: str
    header: str
    values: tuple[str, ...]


def columns(seed: int, rows: int) -> Iterator[Column]:
    """The whole set, the same for the same seed."""
    for locale in LOCALES:
        fake = Faker(locale)
        fake.seed_instance(seed)
        draw = random.Random(f"{seed}{locale}")
        language = locale[:2]
        for category, label in LABEL.items():
            make = maker(category, fake, draw, locale)
            for source in dict.fromkeys((language, "en")):
                for header in HEADERS[source][category].split("|")[: 6 if source == language else 2]:
                    if category == "national" and not fits(header, source, language):
                        continue
                    values = soiled([make() for _ in range(rows)], draw)
                    yield Column(
                        category,
                        label,
                        locale,
                        "own" if source == language else "english",
                        respelt(header, draw),
                        values,
                    )
            if category in ("email", "card", "iban"):
                yield Column(category, label, locale, "silent", draw.choice(SILENT), tuple(make() for _ in range(rows)))
            if category not in ("national", "icd", "belief", "card", "iban"):
                header = draw.choice(PREFIXES) + draw.choice(HEADERS["en"][category].split("|"))
                yield Column(category, label, locale, "prefixed", header, tuple(make() for _ in range(rows)))
            if category in MISLEADING:
                header = draw.choice(MISLEADING[category])
                yield Column(category, label, locale, "misleading", header, tuple(make() for _ in range(rows)))
        for category in ("order", "sku", "stamp", "amount", "product", "status", "company"):
            for header in HEADERS[language][category].split("|"):
                make = alike(category, fake, draw)
                yield Column(
                    category, "", locale, "own", respelt(header, draw), soiled([make() for _ in range(rows)], draw)
                )
        for category in (
            "hash",
            "uuid",
            "epoch",
            "number",
            "isbn",
            "version",
            "city",
            "url",
            "percent",
            "flag",
            "colour",
        ):
            make = alike(category, fake, draw)
            for header in (category, draw.choice(SILENT)):
                yield Column(category, "", locale, "look-alike", header, tuple(make() for _ in range(rows)))
    draw = random.Random(seed)
    for header, sets in PROMISING.items():
        for words in sets:
            values = tuple(draw.choice(words.split("|")) for _ in range(rows))
            yield Column("promise", "", "en_US", "promising", header, values)


def maker(category: str, fake: Faker, draw: random.Random, locale: str) -> Callable[[], str]:
    """Makes one value of a category in the manner of a locale."""
    letters = string.ascii_letters + string.digits

    def birth() -> str:
        shape = {"en_US": "%m/%d/%Y", "de_DE": "%d.%m.%Y", "ja_JP": "%Y年%m月%d日", "ru_RU": "%d.%m.%Y"}.get(
            locale, "%Y-%m-%d"
        )
        return fake.date_of_birth(minimum_age=1, maximum_age=95).strftime(shape)

    makers: dict[str, Callable[[], str]] = {
        "first": fake.first_name,
        "last": fake.last_name,
        "full": fake.name,
        "email": fake.ascii_email,
        "phone": fake.phone_number,
        "street": fake.street_address if hasattr(fake, "street_address") else fake.address,
        "birth": birth,
        "national": getattr(fake, NATIONAL.get(locale, "ssn")),
        "card": fake.credit_card_number,
        "iban": fake.iban,
        "icd": lambda: draw.choice(ICD),
        "belief": lambda: draw.choice(BELIEFS.get(locale[:2], BELIEFS["en"]).split("|")),
        "secret": lambda: "".join(draw.choices(letters + "!$%&-_", k=draw.randint(10, 32))),
    }
    return makers[category]


def alike(category: str, fake: Faker, draw: random.Random) -> Callable[[], str]:
    """Makes one value that only looks like something personal."""
    style = draw.randrange(3)
    makers: dict[str, Callable[[], str]] = {
        "order": lambda: (f"ORD-{draw.randrange(10**7):07}", str(draw.randrange(10**9, 10**10)), f"{draw.randrange(10**11):011}")[style],
        "sku": lambda: (f"{draw.choice('ABC')}{draw.randrange(10**5):05}", f"SKU-{draw.randrange(999):03}-{draw.choice('XYZ')}", str(draw.randrange(10**12, 10**13)))[style],
        "stamp": lambda: (fake.date_time_this_decade().isoformat(), fake.date_this_decade().isoformat(), fake.date_this_decade().strftime("%d.%m.%Y"))[style],
        "amount": lambda: (f"{draw.uniform(1, 5000):.2f}", f"{draw.randrange(1, 10**6)}", f"€ {draw.uniform(1, 500):.2f}")[style],
        "product": lambda: draw.choice(("Desk lamp", "Office chair", "Keyboard Pro 3", "Cable 2 m", "Table oak 120", "Mug blue")),
        "status": lambda: draw.choice(("open", "closed", "in progress", "cancelled", "new")),
        "company": fake.company,
        "hash": lambda: (sha256 if style else md5)(str(draw.random()).encode()).hexdigest(),
        "uuid": lambda: str(uuid.UUID(int=draw.getrandbits(128), version=4)),
        "epoch": lambda: str(draw.randrange(1_500_000_000, 1_790_000_000) * (1000 if style else 1)),
        "number": lambda: str(draw.randrange(10 ** draw.randint(5, 9))),
        "isbn": lambda: f"978{draw.randrange(10**10):010}",
        "version": lambda: f"{draw.randrange(20)}.{draw.randrange(20)}.{draw.randrange(50)}",
        "city": fake.city,
        "url": fake.url,
        "percent": lambda: f"{draw.uniform(0, 100):.1f}%",
        "flag": lambda: draw.choice(("true", "false")),
        "colour": fake.color_name,
    }  # fmt: skip
    return makers[category]


def fits(header: str, source: str, language: str) -> bool:
    """English headers for a national number name the general thing outside the countries they belong to."""
    return source == language or header.lower() in ("national_id", "tax_id", "id_number")


def respelt(header: str, draw: random.Random) -> str:
    """The header as another team would write it."""
    how = draw.randrange(6)
    if how == 0:
        return header.upper()
    if how == 1:
        return header.replace(" ", "_").lower()
    if how == 2:
        return f"{header} "
    if how == 3 and " " in header:
        first, *rest = header.split(" ")
        return first.lower() + "".join(word.capitalize() for word in rest)
    return f"customer_{header.lower().replace(' ', '_')}" if how == 4 and header.isascii() else header


def mutated(made: list[Column], draw: random.Random) -> list[Column]:
    """The same columns under headers that say less: abbreviated, from another language, or none at all."""
    said: dict[str, list[str]] = {}
    for column in made:
        said.setdefault(column.category, []).append(column.header)

    def header(column: Column) -> tuple[str, str]:
        how = draw.choice(("abbreviated", "translated", "missing"))
        if how == "missing":
            return how, draw.choice(("", f"col_{draw.randrange(40)}", f"Unnamed: {draw.randrange(40)}", "value"))
        if how == "translated":
            return how, draw.choice(said[column.category])
        words = re.split(r"[ _]+", column.header.strip())
        return how, "_".join(word[:1] + re.sub(r"[aeiou]", "", word[1:])[:4] for word in words)

    return [replace(column, dressed=how, header=name) for column in made for how, name in (header(column),)]


def soiled(values: list[str], draw: random.Random) -> tuple[str, ...]:
    """Values as they come: some empty, some a word for empty, some not what the column is for."""
    how = draw.randrange(4)
    empty = (0.0, 0.1, 0.4, 0.2)[how]
    wrong = (0.0, 0.02, 0.0, 0.15)[how]
    words = ("", "N/A", "null", "-", "unknown", "n/a", "None")
    soil = ("see notes", "???", "0", "test", "tbd")
    return tuple(
        draw.choice(words) if (die := draw.random()) < empty else draw.choice(soil) if die < empty + wrong else value
        for value in values
    )


def main() -> None:
    """Classify every column and print precision, recall and F1 by category and overall."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--rows", type=int, default=100)
    arguments.add_argument("--wrong", action="store_true")
    arguments.add_argument("--mutated", action="store_true", help="headers abbreviated, translated or missing")
    given = arguments.parse_args()
    made = list(columns(given.seed, given.rows))
    if given.mutated:
        made = mutated(made, random.Random(given.seed))
    classify_column("warm", ["up"])
    began = time.process_time()
    verdicts = [classify_column(column.header, column.values).labels for column in made]
    spent = time.process_time() - began
    hits: Counter[str] = Counter()
    misses: Counter[str] = Counter()
    false: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for column, labels in zip(made, verdicts, strict=True):
        right[column.dressed] += labels == ({column.label} if column.label else set())
        hits[column.category] += bool(column.label) and column.label in labels
        misses[column.category] += bool(column.label) and column.label not in labels
        wrong = labels - {column.label}
        false[column.category] += bool(wrong)
        if given.wrong and (wrong or (column.label and column.label not in labels)):
            print(
                f"{column.locale} {column.category:8} {column.header!r:32} want {column.label or '-':12} got {sorted(labels)} {list(column.values[:3])}"
            )
    print(
        f"{len(made)} columns in {len(LOCALES)} locales, {given.rows} rows each: {spent / len(made) * 1e3:.2f} CPU ms a column"
    )
    print(f"{'category':12}{'columns':>8}{'found':>8}{'missed':>8}{'false':>8}{'F1':>8}")
    for category in sorted({column.category for column in made}):
        hit, miss, wrong_ = hits[category], misses[category], false[category]
        f1 = f"{2 * hit / (2 * hit + miss + wrong_):8.3f}" if hit + miss else f"{'-':>8}"
        print(f"{category:12}{sum(c.category == category for c in made):8}{hit:8}{miss:8}{wrong_:8}{f1}")
    hit, miss, wrong_ = hits.total(), misses.total(), false.total()
    print(f"{'all':12}{len(made):8}{hit:8}{miss:8}{wrong_:8}{2 * hit / (2 * hit + miss + wrong_):8.3f}")
    count = Counter(column.dressed for column in made)
    print("exactly right by header: " + ", ".join(f"{how} {right[how] / count[how]:.3f}" for how in count))


if __name__ == "__main__":
    main()
