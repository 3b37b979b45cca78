INSERT INTO candidate_duplicate (organization_id, candidate_id, duplicate_id) VALUES
('01a22cdfa08a73fa9dc3c45e363b46e7', '01a22cdfa87b77f99ef54c60c5c0664b', '01a22cdfa181745ca760cf8e68b596fd'),
('01a22cdfa08a73fa9dc3c45e363b46e7', '01a22cdfa181745ca760cf8e68b596fd', '01a22cdfa87b77f99ef54c60c5c0664b');
