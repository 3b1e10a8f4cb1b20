def judge_animations(given, work):
    raise NotImplementedError
