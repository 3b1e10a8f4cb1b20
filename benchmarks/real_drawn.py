def judge_drawn(given, work):
    raise NotImplementedError
