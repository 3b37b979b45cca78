"""The people of the demo, with names that are common in their countries. All are invented."""

from collections.abc import Mapping
from datetime import date, timedelta
from random import Random
from typing import Final

from resolvers.values import frozen

NAMES: Final[Mapping[str, tuple[str, str]]] = {
    "GB": ("Amelia Harry Isla Callum Freya Owen", "Ashworth Bennett Clarke Hughes Morgan Whitaker"),
    "IE": ("Aoife Ciarán Niamh Oisín Saoirse Declan", "Byrne Doyle Gallagher Kelly Nolan Walsh"),
    "US": (
        "Madison Tyler Brianna Marcus Hailey Ethan",
        "Carter Freeman Hayes Jenkins Reed Sullivan",
    ),
    "CA": ("Émilie Liam Chloé Noah Maya Gabriel", "Bouchard Campbell Gagnon Fraser Roy Singh"),
    "MX": (
        "Ximena Diego Valeria Emiliano Lucía Mateo",
        "Hernández Ramírez Flores Castillo Ortega Vega",
    ),
    "BR": (
        "Beatriz Thiago Larissa Caio Júlia Rafael",
        "Almeida Barbosa Carvalho Moreira Souza Teixeira",
    ),
    "NG": ("Adaeze Chinedu Folake Tunde Ngozi Emeka", "Adeyemi Bello Eze Nwosu Okafor Olawale"),
    "GH": ("Akosua Kwame Ama Kofi Efua Yaw", "Appiah Asante Boateng Mensah Ofori Owusu"),
    "KE": (
        "Wanjiru Kamau Achieng Otieno Nafula Kiprop",
        "Cheruiyot Kariuki Mwangi Njoroge Odhiambo Wekesa",
    ),
    "ZA": ("Thandi Sipho Lerato Johan Zanele Kagiso", "Botha Dlamini Khumalo Naidoo Nkosi Van-Wyk"),
    "EG": (
        "Mariam Youssef Nour Karim Salma Omar",
        "Abdelrahman Fahmy Hassan Mansour Naguib Shaheen",
    ),
    "IN": ("Ananya Arjun Diya Rohan Kavya Vikram", "Banerjee Iyer Kulkarni Mehta Reddy Sharma"),
    "PK": ("Ayesha Bilal Fatima Hamza Zainab Usman", "Ahmed Butt Chaudhry Malik Qureshi Siddiqui"),
    "SG": ("Hui-Min Wei-Jie Li-Ying Jun-Kai Nurul Darshan", "Chua Goh Lim Ong Rahman Tan"),
    "MY": (
        "Aisyah Haziq Mei-Ling Arvind Farah Zulkifli",
        "Abdullah Chong Ibrahim Krishnan Lee Wong",
    ),
    "PH": (
        "Andrea Miguel Bianca Paolo Kristine Jerome",
        "Aquino Bautista Dela-Cruz Mendoza Reyes Santos",
    ),
    "JP": (
        "Sakura Haruto Yui Ren Aoi Takumi",
        "Fujimoto Ishikawa Kobayashi Nakamura Suzuki Yamada",
    ),
    "KR": ("Seo-yeon Min-jun Ji-woo Do-yun Ha-eun Joon-ho", "Choi Han Jung Kang Park Yoon"),
    "DE": (
        "Hannah Jonas Leonie Felix Jana Moritz",
        "Becker Hoffmann Köhler Richter Schäfer Wagner",
    ),
    "PL": (
        "Zofia Jakub Maja Szymon Alicja Wojciech",
        "Dąbrowski Kowalczyk Lewandowski Nowak Wójcik Zieliński",
    ),
    "TR": ("Elif Emre Zeynep Kerem Defne Burak", "Arslan Çelik Demir Öztürk Şahin Koç"),
}
"""By country: first names (women and men in turn), and last names."""

EVERYBODY: Final = sum(len(firsts.split()) * len(lasts.split()) for firsts, lasts in NAMES.values())

BORN_AFTER: Final = date(1975, 1, 1)
DAYS_OF_BIRTH: Final = 33 * 365


@frozen
class Person:
    """A person who can be a candidate, a learner or a student."""

    first_names: str
    last_name: str
    country: str
    born_on: date


def people(count: int, random: Random) -> list[Person]:
    """`count` people with different names."""
    names = [
        (first, last.replace("-", " "), country)
        for country, (firsts, lasts) in NAMES.items()
        for first in firsts.split()
        for last in lasts.split()
    ]
    random.shuffle(names)
    return [
        Person(*name, BORN_AFTER + timedelta(days=random.randrange(DAYS_OF_BIRTH)))
        for name in names[:count]
    ]
