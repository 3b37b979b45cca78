"""Example inputs of a candidate and an event."""

CANDIDATE = {
    "reference": "P1",
    "firstNames": "Ada",
    "lastName": "Byron",
    "email": "ada@example.org",
    "telephone": "1",
    "mobile": "2",
    "dateOfBirth": "1993-02-20",
    "gender": "FEMALE",
    "passportNumber": "X1",
    "passportIssuingCountry": "GB",
    "countryOfBirth": "ES",
    "nationality": "FR",
    "address": {"line1": "1 High St", "city": "York", "country": "GB"},
    "emergencyContact": {"name": "Ann", "phone": "3"},
    "imageUrl": "https://example.org/ada.png",
    "groupIdentifiers": ["00000000-0000-0000-0000-000000000007"],
}

EVENT = {
    "identifier": "11111111-1111-1111-1111-111111111111",
    "start": "2027-03-01T09:00:00Z",
    "title": "Anatomy in spring",
    "examType": "Class",
    "examFormat": "Paper",
    "billingCode": "B1",
    "capacityMaximum": 10,
    "capacityMinimum": 2,
    "invigilatorMinimum": 1,
    "registrationStart": "2027-01-01T00:00:00Z",
    "registrationDeadline": "2027-02-28T00:00:00Z",
    "eligibilityConfigured": True,
}
