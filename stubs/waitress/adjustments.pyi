class Adjustments:
    max_request_body_size: int
