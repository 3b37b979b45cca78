"""The first steps of a process: settings and logging."""

import logging
import os

from gateway.settings import Settings
from resolvers.storage.migrated import require_newest


def settings_of_migrated_database() -> Settings:
    """The settings of the environment. Raises: WrongSetting, NotMigrated."""
    settings = Settings.read(os.environ)
    require_newest(settings.database_url)
    return settings


def log_to_stderr() -> None:
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
